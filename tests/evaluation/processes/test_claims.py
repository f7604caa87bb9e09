"""Claims: one holder at a time, by the clock of the file system, and what goes wrong in words."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from miagym.errors import RunError
from miagym.evaluation import opening, workers
from miagym.evaluation.claims import claims as module
from miagym.evaluation.claims.claims import Claims, NotExclusive
from miagym.evaluation.claims.process import Process
from miagym.evaluation.store import RunFolder
from tests.evaluation.work import evaluated

pytestmark = pytest.mark.usefixtures("small_forests")
SMALL = {"limit": 4, "chunk": 2}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Claims, Claims]]:
    with Claims(tmp_path / "claims") as one, Claims(tmp_path / "claims") as other:
        yield one, other


def elsewhere(path: Path, seconds: float) -> None:
    """Makes a claim one of another machine, which last gave a sign so many seconds ago."""
    told = Process(**json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(asdict(replace(told, machine="m"))), encoding="utf-8")
    touched = path.stat().st_mtime - seconds
    os.utime(path, (touched, touched))


def ended() -> Process:
    """A process of this machine that is there no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return replace(Process.this(), pid=child.pid, started="", token="ended")


def test_one_holds_until_it_lets_go(pair: tuple[Claims, Claims]) -> None:
    one, other = pair
    assert one.take("a") and one.holds("a")
    assert not other.take("a") and other.take("b")
    assert [process.token for process in one.others()] == [other.process.token]
    one.release("a")
    assert other.take("a")


def test_what_an_ended_process_held_is_free_at_once(
    pair: tuple[Claims, Claims], tmp_path: Path
) -> None:
    (tmp_path / "claims" / "a.0").write_text(json.dumps(asdict(ended())), encoding="utf-8")
    assert pair[0].take("a") and not pair[1].take("a")
    pair[0].release("a")
    assert not list((tmp_path / "claims").glob("a.*"))


def test_a_number_that_was_given_again_is_another_process() -> None:
    this = Process.this()
    assert not this.gone
    if this.started:  # Linux tells
        assert replace(this, started="1").gone


def test_a_process_that_nobody_has_waited_for_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 20
    while not replace(Process.this(), pid=child.pid, started="").gone:
        assert sys.platform == "linux" and time.monotonic() < deadline
        time.sleep(0.01)
    child.wait()


def test_another_machine_s_claim_lives_for_its_lease(
    pair: tuple[Claims, Claims], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time of the files: the clock of a machine may say what it likes."""
    one, other = pair
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert one.take("a")
    held = tmp_path / "claims" / "a.0"
    elsewhere(held, module.LEASE - 20)
    assert not other.take("a")
    elsewhere(held, module.LEASE)
    assert other.take("a")
    assert not one.holds("a") and other.holds("a")
    one.release("a")
    assert other.holds("a")


def test_who_is_slow_to_write_its_claim_is_not_robbed(
    pair: tuple[Claims, Claims], tmp_path: Path
) -> None:
    path = tmp_path / "claims" / "a.0"
    path.touch()
    assert not pair[0].take("a")
    os.utime(path, (1, 1))
    assert pair[0].take("a")


def test_signs_of_life_are_given(tmp_path: Path) -> None:
    with Claims(tmp_path / "claims", lease=0.3) as claims:
        assert claims.take("a")
        path = tmp_path / "claims" / "a.0"
        os.utime(path, (1, 1))
        deadline = time.monotonic() + 20
        while path.stat().st_mtime == 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert not (tmp_path / "claims").exists()


@pytest.fixture
def not_exclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that takes exclusive creation for any other."""
    as_it_is = Path.open

    def careless(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        return as_it_is(self, mode.replace("x", "w"), *rest, **more)

    monkeypatch.setattr(Path, "open", careless)


@pytest.mark.usefixtures("not_exclusive")
def test_a_folder_without_exclusive_creation_is_for_one(tmp_path: Path) -> None:
    with pytest.raises(NotExclusive, match="expected exclusive creation"):
        Claims(tmp_path / "claims").__enter__()
    run = evaluated(tmp_path / "run", **SMALL)
    with pytest.raises(NotExclusive, match="cannot share work there"):
        evaluated(tmp_path / "other", join="begin", **SMALL)
    assert run["sima"].auc and not (tmp_path / "run" / "claims").exists()


def test_a_second_process_is_told_to_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, scored = tmp_path / "run", workers.score_chunk
    asked: list[str] = []

    def second(*given: Any) -> Any:
        if not asked:
            asked.append("once")
            with pytest.raises(RunError, match=r"is being worked on by process .* add join=True"):
                evaluated(out, **SMALL)
            with pytest.raises(RunError, match=r"cannot be joined, .* \(seed: 0 there, 1 here"):
                evaluated(out, join=True, seed=1, **SMALL)
            with (
                pytest.MonkeyPatch.context() as patch,
                pytest.raises(RunError, match=r"cannot be joined, .* \(code of miagym: .* here\)"),
            ):
                patch.setattr("miagym.evaluation.provenance.engine_digest", lambda: "0" * 16)
                evaluated(out, join=True, **SMALL)
        return scored(*given)

    monkeypatch.setattr(workers, "score_chunk", second)
    assert evaluated(out, **SMALL)["sima"].auc and asked
    assert evaluated(out, join=True, **SMALL)["sima"].auc  # late, and done


def test_there_must_be_something_to_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WAIT", 0.2)
    with pytest.raises(RunError, match="holds no run to join"):
        evaluated(tmp_path / "run", join=True, **SMALL)
    assert not (tmp_path / "run").exists()
    with pytest.raises(RunError, match="To join a run, name its folder"):
        evaluated(None, join=True, **SMALL)  # type: ignore[arg-type]


def test_what_was_scored_under_a_lost_claim_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody took the chunk over, as from a process that slept; and ended before it was done."""
    out, scored, written = tmp_path / "run", workers.score_chunk, []
    asked: list[str] = []

    def robbed(run: Any, chunk: Any, *rest: Any) -> Any:
        asked.append(chunk.name)
        if len(asked) == 2:
            claim = out / "claims" / f"{chunk.name}.1"
            claim.write_text(json.dumps(asdict(ended())), encoding="utf-8")
        return scored(run, chunk, *rest)

    write = RunFolder.write

    def seen(self: RunFolder, chunk: str, *rest: Any) -> None:
        written.append(chunk)
        write(self, chunk, *rest)

    monkeypatch.setattr(workers, "score_chunk", robbed)
    monkeypatch.setattr(RunFolder, "write", seen)
    evaluated(out, **SMALL)
    assert len(written) == len(set(written)) == len(asked) - 1 and asked.count(asked[1]) == 2


def test_a_run_begun_anew_by_others_takes_no_more_of_this_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, scored = tmp_path / "run", workers.score_chunk
    asked: list[str] = []

    def changed(run: Any, chunk: Any, *rest: Any) -> Any:
        asked.append(chunk.name)
        if len(asked) == 2:
            about = json.loads((out / "run.json").read_text(encoding="utf-8"))
            about["code"][0]["sima"] = "0" * 16
            (out / "run.json").write_text(json.dumps(about), encoding="utf-8")
        return scored(run, chunk, *rest)

    monkeypatch.setattr(workers, "score_chunk", changed)
    monkeypatch.setattr(workers, "MAX_WORKERS", 1)  # one chunk after the other
    with pytest.raises(RunError, match="was begun anew with other code"):
        evaluated(out, **SMALL)
    assert [path.stem for path in (out / "chunks").glob("*.parquet")] == asked[:1]


def test_a_full_disk_lets_go_of_the_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(RunFolder, "write", full)
        evaluated(tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()
    assert evaluated(tmp_path / "run", **SMALL)["sima"].auc
