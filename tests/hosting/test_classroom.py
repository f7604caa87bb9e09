"""A class plays: what handouts and the guide advise is run, against a real server."""

from __future__ import annotations

import csv
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from miagym.hosting.records.ledger import Ledger
from tests.command_line import run
from tests.hosting.serving import TASK, Hosted, serving

SHORT = dataclasses.replace(TASK, name="overfit-60", candidates=16, slots=4, hands=2, budget=30)
BLOCK = re.compile(r"```py\n(.*?)```", re.DOTALL)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with serving(tmp_path_factory.mktemp("class") / "host.sqlite", SHORT) as found:
        yield found


def play(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_handout_plays_as_it_stands(hosted: Hosted, tmp_path: Path) -> None:
    run("class", "create", "--students", 3, "--url", hosted.address, "--db", hosted.ledger.path,
        "--out", tmp_path / "class", "--days", 90)  # fmt: skip
    with (tmp_path / "class" / "keys.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["student-01", "student-02", "student-03"]
    handout = (tmp_path / "class" / "student-02.md").read_text(encoding="utf-8")
    assert rows[1]["key"] in handout and rows[0]["key"] not in handout
    (program,) = BLOCK.findall(handout)
    assert "student-02" in play(program) and len(hosted.host.desk("overfit-60").all()) == 1
    for again in (tmp_path / "class", tmp_path / "other"):
        run("class", "create", "--students", 2, "--url", hosted.address, "--db",
            hosted.ledger.path, "--out", again, code=2)  # fmt: skip
    assert not (tmp_path / "other").exists(), "nothing was added or written"
    assert len(hosted.ledger.read("SELECT name FROM keys")) == 3


def test_what_the_guide_advises_plays(hosted: Hosted) -> None:
    program, *_ = BLOCK.findall((ROOT / "docs" / "play" / "host.md").read_text(encoding="utf-8"))
    known = program.replace("http://127.0.0.1:8000", hosted.address)
    play(known.replace('key="..."', f"key={hosted.key('reader')!r}"))
    (mine,) = [one for one in hosted.host.desk("overfit-60").all() if one.player == "reader"]
    assert len(mine.scores) == 32 and len(set(mine.scores.values())) > 10


def test_nobody_else_on_the_machine_reads_keys(tmp_path: Path) -> None:
    run("class", "create", "--students", 2, "--url", "http://x", "--db", tmp_path / "host.sqlite",
        "--out", tmp_path / "class")  # fmt: skip
    assert (tmp_path / "class").stat().st_mode & 0o777 == 0o700


def test_a_class_that_cannot_be_written_is_not_added(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    db = tmp_path / "host.sqlite"
    run("class", "create", "--students", 2, "--url", "http://x", "--db", db, "--out",
        tmp_path / "file" / "class", code=2)  # fmt: skip
    with Ledger(db) as ledger:
        assert not ledger.read("SELECT name FROM keys")
