"""A run can be watched: JSON lines, a log in its folder, and trackers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from miagym.api.tracking import Tracker
from miagym.errors import DataError
from miagym.evaluation import workers
from tests.command_line import run
from tests.evaluation.work import evaluated

pytestmark = pytest.mark.usefixtures("small_forests")
SMALL: dict[str, Any] = {"limit": 4, "chunk": 2}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests of the command: the first one runs it."""
    return tmp_path_factory.mktemp("watched") / "run"


@pytest.fixture
def arguments(pipelines: dict[str, Path], out: Path) -> list[object]:
    target = ["--target", pipelines["epsilon"], "--data", "clipart-tune", "--attacks", "sima"]
    return ["evaluate", *target, "--limit", 4, "--out", out]


def test_progress_for_machines_is_json_lines(
    arguments: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    run(*arguments, "--progress", "json", "--json")
    printed = capsys.readouterr()
    assert json.loads(printed.out)["rows"]
    lines = [json.loads(line) for line in printed.err.splitlines()]
    phases = {line["label"]: line["steps"] for line in lines if line["event"] == "phase"}
    assert "measuring" in phases and any(label.endswith(": test") for label in phases)
    for label, steps in phases.items():
        done = [
            line["done"] for line in lines if line["event"] == "step" and line["label"] == label
        ]
        assert done == list(range(1, steps + 1))
    times = [line["seconds"] for line in lines]
    assert times == sorted(times)
    run(*arguments, "--progress", "json")
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert said["event"] == "said" and "this very run, finished" in said["text"]


def test_what_fails_is_a_json_line_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of miagym, such as data that are not there, and of the disk."""
    (tmp_path / "file").write_text("no folder")
    asked = ["evaluate", "--target", "clipart-overfit", "--progress", "json"]
    for options in (
        ("--data", tmp_path / "none", "--out", tmp_path / "run"),
        ("--limit", 4, "--attacks", "sima", "--out", tmp_path / "file" / "run"),
    ):
        run(*asked, *options, code=2)
        printed = capsys.readouterr()
        lines = [json.loads(line) for line in printed.err.splitlines()]
        assert [line["event"] for line in lines].index("failed") == len(lines) - 1
        assert str(tmp_path) in lines[-1]["text"] and not printed.out


def test_the_log_says_what_was_done_and_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored, asked = workers.score_chunk, []

    def fails(*given: Any) -> Any:
        asked.append(given)
        if len(asked) == 2:
            raise DataError("a picture fell off the wall")
        return scored(*given)

    with monkeypatch.context() as patch, pytest.raises(DataError):
        patch.setattr(workers, "score_chunk", fails)
        evaluated(tmp_path / "run", **SMALL)
    evaluated(tmp_path / "run", **SMALL)
    (file,) = (tmp_path / "run" / "logs").iterdir()
    text = file.read_text(encoding="utf-8")
    assert "stopped: DataError: a picture fell off the wall" in text
    assert "dummy: test: 4 of 4" in text and text.rstrip().endswith("finished")


@pytest.mark.parametrize("name", ["trackio", "wandb", "mlflow"])
def test_a_tracker_is_told_settings_and_results(
    name: str, arguments: list[object], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}

    class Fake(ModuleType):
        """As much of the three as is called."""

        def init(self, project: str, name: str, config: dict[str, Any]) -> Fake:
            told["params"] = config | {"project": project, "name": name}
            return self

        def log(self, metrics: dict[str, float]) -> None:
            told["metrics"] = metrics

        def finish(self) -> None:
            told["ended"] = True

        def set_experiment(self, project: str) -> None:
            told["params"] = {"project": project}

        def start_run(self, run_name: str) -> Fake:
            told["params"]["name"] = run_name
            return self

        def log_params(self, params: dict[str, str]) -> None:
            told["params"] |= params

        log_metrics = log

        def __enter__(self) -> Fake:
            return self

        def __exit__(self, *_: object) -> None:
            self.finish()

    monkeypatch.setitem(sys.modules, name, Fake(name))
    run(*arguments, "--log", name, "--json")
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    (auc,) = [value for key, value in told["metrics"].items() if key.endswith("sima/auc")]
    assert auc == results["rows"][-1]["auc"] and told["ended"]
    assert all(isinstance(value, float) for value in told["metrics"].values())
    assert told["params"]["project"] == "miagym" and told["params"]["name"] == "run"
    assert told["params"]["seed"] == "0" and told["params"]["data"] == '["clipart-tune"]'


def test_a_tracker_that_is_not_there_is_one_sentence(
    arguments: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    arguments = [*arguments[:-1], tmp_path / "run"]
    run(*arguments, "--log", "wandb", code=2)
    assert "pip install 'miagym[wandb]'" in capsys.readouterr().err
    run(*arguments, "--log", "tensorboard", code=2)
    assert "No tracker is called 'tensorboard'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_trackio_itself_takes_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip("trackio")
    Tracker("trackio").log(evaluated(tmp_path / "run", **SMALL))
    assert list((tmp_path / "trackio").rglob("*.db"))
