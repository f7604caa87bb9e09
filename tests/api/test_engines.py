"""Engines: processes that are started elsewhere, watched, and started again when they are lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import miagym
from miagym.api.engines import engine as watching
from miagym.api.engines.engine import EngineJob, Lost, watch
from miagym.api.engines.extras import imported
from miagym.api.engines.slurm_jobs import SlurmJob
from miagym.api.run import Run
from miagym.errors import MiagymError, RunError, SettingsError, UnknownName
from miagym.evaluation.workers import TOOK_TOO_LONG, limited
from miagym.targets.dummy import DummyTarget
from tests.api.slow_attack import SlowSimA

ROOT = Path(__file__).parent.parent.parent


class FakeJob:
    """A job that is over at once, and says this, or was lost."""

    def __init__(self, said: str | Lost | None) -> None:
        self.said, self.stopped = said, False

    def ended(self) -> bool:
        return True

    def result(self) -> str | None:
        if isinstance(self.said, Lost):
            raise self.said
        return self.said

    def stop(self) -> None:
        self.stopped = True


class FakeEngine:
    """Starts jobs that end like this, one after the other."""

    def __init__(self, *ends: str | Lost | None) -> None:
        self.ends = list(ends)

    def start(self, work: Any, jobs: int) -> list[EngineJob]:
        return [FakeJob(self.ends.pop(0)) for _ in range(jobs)]

    def close(self) -> None:
        pass


def watched(engine: FakeEngine, jobs: int) -> list[str]:
    """What is told of these jobs."""
    told: list[str] = []
    watch(engine, None, jobs, told.append, lambda label, steps: lambda: None)  # type: ignore[arg-type]
    assert not engine.ends, "not all were started"
    return told


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "POLL", 0.05)


def test_what_is_lost_is_started_again() -> None:
    (told,) = watched(FakeEngine(Lost("killed by signal 9"), None, None), 2)
    assert "killed by signal 9" in told


def test_one_that_cannot_run_does_not_stop_the_others() -> None:
    assert watched(FakeEngine("No space left.", None), 2) == []


def test_the_first_reason_is_told_where_none_can_run() -> None:
    with pytest.raises(RunError, match=r"^There is no data set\.$"):
        watched(FakeEngine("There is no data set.", "Another."), 2)


def test_processes_that_are_lost_again_and_again_are_given_up() -> None:
    with pytest.raises(RunError, match="3 processes were lost, the last one since: no memory"):
        watched(FakeEngine(*[Lost("no memory")] * 3), 1)


def test_what_a_lost_job_of_slurm_said_is_one_sentence(tmp_path: Path) -> None:
    class Failed:
        job_id = 7
        paths = SimpleNamespace(stderr=tmp_path / "7.err")

        def exception(self) -> Exception:
            return RuntimeError("Traceback\n  chunk 00-test-00000 took longer than 9 seconds.\n")

    with pytest.raises(Lost, match=r"^job 7: chunk 00-test-00000 took longer than 9 seconds; see "):
        SlurmJob(Failed()).result()


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(SettingsError, match=r"pip install 'miagym\[slurm\]'"):
        imported("no_such_module", "slurm")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"engine": "spark", "jobs": 2}, UnknownName, "No engine is called"),
        ({"engine": "ray"}, SettingsError, "jobs=8"),
        ({"engine": "ray", "jobs": 0}, SettingsError, "got 0"),
        ({"engine": "slurm", "jobs": 2, "deadline": -1}, SettingsError, "above 0, got -1; .*3600"),
        ({"engine": "slurm", "jobs": 2, "deadline": 0.0}, SettingsError, "above 0, got 0"),
        ({"engine": "ray", "jobs": 2, "join": True}, SettingsError, "leave out join"),
        ({"engine": "ray", "jobs": 2, "shard": "1/2"}, SettingsError, "shard"),
        ({"engine": "ray", "jobs": 2, "out": None}, RunError, "out="),
        ({"jobs": 2}, SettingsError, "engine='ray'"),
        ({"deadline": 2}, SettingsError, "engine='ray'"),
    ],
)
def test_what_does_not_fit_is_refused(
    options: dict[str, Any], error: type[MiagymError], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        miagym.evaluate("clipart-overfit", attacks="sima", **{"out": tmp_path / "run"} | options)
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_handed_over_is_refused(tmp_path: Path) -> None:
    target = dummy_target()
    target.lock = threading.Lock()  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match="cannot be handed to other processes"):
        miagym.evaluate(
            target, "clipart-tune", "sima", null=None, engine="ray", jobs=2, out=tmp_path / "run"
        )


@pytest.mark.slow
def test_a_chunk_that_takes_too_long_ends_its_process() -> None:
    hangs = "import time; from miagym.evaluation.workers import limited\n"
    hangs += "with limited(0.05, 'a chunk'): time.sleep(60)"
    child = subprocess.run(
        [sys.executable, "-c", hangs], cwd=ROOT, capture_output=True, encoding="utf-8", text=True
    )
    assert child.returncode == TOOK_TOO_LONG and "a chunk took longer than" in child.stderr
    with limited(0.05, "a chunk"):
        pass
    time.sleep(0.1)


def dummy_target() -> DummyTarget:
    data = miagym.load_data("clipart-tune")
    return DummyTarget(data.candidates(np.flatnonzero(data.member)[:8], 64))


def evaluated(out: Path, **options: Any) -> Run:
    return miagym.evaluate(
        dummy_target(),
        "clipart-tune",
        SlowSimA(),
        null=None,
        reference=None,
        limit=10,
        generated=0,
        chunk=2,
        out=out,
        **options,
    )


class Killer(threading.Thread):
    """Kills the first process that holds a chunk of the test part, while it holds it."""

    def __init__(self, out: Path) -> None:
        super().__init__(daemon=True)
        self.out, self.killed = out, 0

    def run(self) -> None:
        deadline = time.monotonic() + 1000  # a machine may be busy
        while not self.killed and time.monotonic() < deadline:
            for claim in (self.out / "claims").glob("00-test-*.0"):
                try:
                    pid = json.loads(claim.read_text(encoding="utf-8"))["pid"]
                except (OSError, ValueError):
                    continue
                os.kill(pid, signal.SIGKILL)
                self.killed = pid
                return
            time.sleep(0.005)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["slurm", "ray"])
def test_a_run_of_two_of_which_one_is_killed_equals_that_of_one(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For real: submitit's local executor, and a local cluster of Ray."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    out, told = tmp_path / "run", list[str]()
    killer = Killer(out)
    killer.start()
    run = evaluated(out, engine=engine, jobs=2, deadline=200, tell=told.append)
    assert killer.killed and sum("was lost" in sentence for sentence in told) == 1
    alone = evaluated(tmp_path / "alone")
    name = "scores.parquet"
    assert (out / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    first, second = run.as_json(), alone.as_json()
    for row in (*first["rows"], *second["rows"]):
        assert row.pop("seconds") >= 0
    assert first == second
    assert not (out / "claims").exists()
    assert len(list((out / "logs").iterdir())) >= 2, "one process did it all"
