"""Was this picture used to train that image generator? A fair game about the question.

>>> import miagym
>>> data = miagym.load_data("clipart-tune")
>>> candidates = data.candidates(data.rows("test", seed=0, limit=2), size=64)
>>> oracle = miagym.Oracle("clipart-overfit", access="grey", queries=1)
>>> oracle.encode(candidates).shape
torch.Size([4, 4, 16, 16])

`evaluate`, `check`, `audit` and `score` answer questions; `load_target`, `load_data` and `Oracle`
are what they are made of. Once this package is imported, Gymnasium knows the environments
`miagym/Single-v0` and `miagym/Pool-v0`. It loads neither torch nor diffusers.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

# Before any library is imported: none reports home, and none talks between our tables.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

import wrapt

if TYPE_CHECKING:
    from miagym.api.audit import audit
    from miagym.api.calibrate import calibrate
    from miagym.api.check import check
    from miagym.api.check_unused import UnusedCheck
    from miagym.api.checking.result import Check
    from miagym.api.evaluate import evaluate
    from miagym.api.folders.diff import RunDiff, diff
    from miagym.api.folders.merge import merge
    from miagym.api.folders.pooled import PooledRuns
    from miagym.api.gate import gate
    from miagym.api.population import evaluate_population
    from miagym.api.results import AuditReport, ScoreReport
    from miagym.api.run import Run
    from miagym.api.score import score
    from miagym.candidates import Candidates
    from miagym.data.dataset import Dataset
    from miagym.data.registry import load_data
    from miagym.envs.grading.grade import grade
    from miagym.oracle.access import Access
    from miagym.oracle.budget import Budget
    from miagym.oracle.oracle import Oracle
    from miagym.remote.env import RemoteEnv
    from miagym.targets.registry import load_target

_LAZY = {
    "evaluate": "miagym.api.evaluate",
    "check": "miagym.api.check",
    "audit": "miagym.api.audit",
    "calibrate": "miagym.api.calibrate",
    "score": "miagym.api.score",
    "gate": "miagym.api.gate",
    "diff": "miagym.api.folders.diff",
    "merge": "miagym.api.folders.merge",
    "evaluate_population": "miagym.api.population",
    "load_target": "miagym.targets.registry",
    "load_data": "miagym.data.registry",
    "Run": "miagym.api.run",
    "RunDiff": "miagym.api.folders.diff",
    "PooledRuns": "miagym.api.folders.pooled",
    "Check": "miagym.api.checking.result",
    "UnusedCheck": "miagym.api.check_unused",
    "AuditReport": "miagym.api.results",
    "ScoreReport": "miagym.api.results",
    "Oracle": "miagym.oracle.oracle",
    "Access": "miagym.oracle.access",
    "Budget": "miagym.oracle.budget",
    "Candidates": "miagym.candidates",
    "Dataset": "miagym.data.dataset",
    "grade": "miagym.envs.grading.grade",
    "RemoteEnv": "miagym.remote.env",
}
"""Where each public name lives; it is imported when it is asked for, so that this stays light."""

__all__ = [
    "Access",
    "AuditReport",
    "Budget",
    "Candidates",
    "Check",
    "Dataset",
    "Oracle",
    "PooledRuns",
    "RemoteEnv",
    "Run",
    "RunDiff",
    "ScoreReport",
    "UnusedCheck",
    "__version__",
    "audit",
    "calibrate",
    "check",
    "diff",
    "evaluate",
    "evaluate_population",
    "gate",
    "grade",
    "load_data",
    "load_target",
    "merge",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_LAZY[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@wrapt.when_imported("gymnasium")
def _register(gymnasium: object) -> None:
    """Registers the environments as soon as Gymnasium is there; importing it here takes long."""
    from miagym.envs import register

    register()
