"""Several processes work on one run: nothing is done twice, nothing is lost, all is equal."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.work import evaluated, started, written


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, small_forests: None) -> Path:
    """The run of one process, which is this one."""
    out = tmp_path_factory.mktemp("alone") / "run"
    evaluated(out)
    return out


def results(out: Path) -> dict[str, Any]:
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for row in found["rows"]:
        assert row.pop("seconds") >= 0
    return found


def check_equal(out: Path, alone: Path) -> None:
    assert (out / "scores.parquet").read_bytes() == (alone / "scores.parquet").read_bytes()
    assert results(out) == results(alone)
    inside = {path.name for path in out.iterdir()}
    assert inside == {path.name for path in alone.iterdir()} and "claims" not in inside
    assert not list(out.rglob("*.partial"))


@pytest.mark.slow
def test_two_processes_share_a_run(alone: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "run", tmp_path / "log"
    processes = [started(out, log, slow=0.05), started(out, log, slow=0.05, join=True)]
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    by = written(log)
    chunks = Counter(chunk for _, chunk in by)
    assert set(chunks.values()) == {1}, "a chunk was computed twice"
    assert set(chunks) == {path.stem for path in (alone / "chunks").glob("*.parquet")}
    assert min(Counter(pid for pid, _ in by).values()) >= len(by) / 4, "one did nearly all"
    check_equal(out, alone)


def killed_at(moment: float, alone: Path, folder: Path) -> None:
    """Kills one of two processes so many seconds after its first chunk; the other ends the run."""
    out, log = folder / "run", folder / "log"
    options = {"slow": 0.03, "join": "begin"}
    doomed, survivor = (started(out, log, **options) for _ in range(2))  # type: ignore[arg-type]
    deadline = time.monotonic() + 60
    while not any(pid == doomed.pid for pid, _ in written(log)):
        assert time.monotonic() < deadline and survivor.is_alive()
        time.sleep(0.002)
    time.sleep(moment)
    is_done = (out / "results.json").exists()
    doomed.kill()
    doomed.join()
    kept = {path.name: path.stat().st_ino for path in (out / "chunks").glob("*.parquet")}
    survivor.join(timeout=120)
    assert survivor.exitcode == 0
    chunks = [chunk for _, chunk in written(log)]
    assert len(chunks) == len(set(chunks)), "a chunk was computed twice"
    found = {path.name: path.stat().st_ino for path in (out / "chunks").glob("*.parquet")}
    assert kept.items() <= found.items(), "a finished chunk was lost or written again"
    if is_done:  # whoever leaves last sweeps up, and that one may have been killed at it
        shutil.rmtree(out / "claims", ignore_errors=True)
    check_equal(out, alone)


@pytest.mark.slow
def test_the_survivor_of_a_kill_ends_the_run(alone: Path, tmp_path: Path) -> None:
    killed_at(0.01, alone, tmp_path)


@pytest.mark.long
@pytest.mark.slow
def test_ten_kills_at_random_moments(alone: Path, tmp_path: Path) -> None:
    dice = random.Random(0)
    for number in range(10):
        killed_at(dice.uniform(0, 1.5), alone, tmp_path / str(number))


@pytest.mark.slow
def test_a_full_disk_at_one_process_stops_that_one(alone: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "run", tmp_path / "log"
    well, full = (started(out, log, most=m, slow=0.03, join="begin") for m in (None, 2_000))
    full.join(timeout=60)
    well.join(timeout=60)
    assert (well.exitcode, full.exitcode) == (0, 2)
    said = log.with_suffix(".errors").read_text(encoding="utf-8")
    assert said.startswith(str(full.pid)) and "File too large" in said
    check_equal(out, alone)
