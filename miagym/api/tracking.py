"""A run's numbers for the trackers that people use: trackio, MLflow, Weights & Biases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from miagym.api.engines.extras import imported
from miagym.api.run import Run
from miagym.errors import UnknownName
from miagym.results.formats import detection

PROJECT = "miagym"
"""Project, or experiment, under which runs are kept."""

Params = Mapping[str, str]
Metrics = Mapping[str, float]


def _trackio(module: Any, name: str, params: Params, metrics: Metrics) -> None:
    module.init(project=PROJECT, name=name, config=dict(params))
    module.log(dict(metrics))
    module.finish()


def _wandb(module: Any, name: str, params: Params, metrics: Metrics) -> None:
    run = module.init(project=PROJECT, name=name, config=dict(params))
    run.log(dict(metrics))
    run.finish()


def _mlflow(module: Any, name: str, params: Params, metrics: Metrics) -> None:
    module.set_experiment(PROJECT)
    with module.start_run(run_name=name):
        module.log_params(dict(params))
        module.log_metrics(dict(metrics))


TRACKERS: dict[str, Callable[[Any, str, Params, Metrics], None]] = {
    "trackio": _trackio,
    "mlflow": _mlflow,
    "wandb": _wandb,
}


class Tracker:
    """A tracker that is installed.

    Args:
        name: trackio, mlflow or wandb.

    Raises:
        UnknownName: for another name.
        SettingsError: if it is not installed, with the command that installs it.
    """

    def __init__(self, name: str) -> None:
        if name not in TRACKERS:
            raise UnknownName("tracker", name, TRACKERS)
        self.name = name
        self._module = imported(name, extra=name)

    def log(self, run: Run) -> None:
        """Hands over settings, AUC and TPR at 1 % FPR of a finished run, with their intervals."""
        name = run.path.name if run.path else "run"
        TRACKERS[self.name](self._module, name, _params(run), _metrics(run))


def _params(run: Run) -> dict[str, str]:
    config = dict(run.about["config"])
    config["targets"] = [match["target"] for match in config["matches"]]
    config["data"] = [match["data"] for match in config.pop("matches")]
    given = config | {"command": run.command, "engine": run.about.get("engine")}
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()
    }


def _metrics(run: Run) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in run.rows:
        name = re.sub(r"[^\w. /-]", "_", f"{row.target}/{row.attack}")  # MLflow takes no others
        found |= {f"{name}/auc": float(row.auc)}
        found |= dict(zip((f"{name}/auc_low", f"{name}/auc_high"), row.auc_ci, strict=True))
        if (at := detection(row)) is not None:
            found |= {f"{name}/tpr_at_1_fpr": float(at.tpr)}
    return found
