"""However many candidates there are: memory stays, and what was drawn of them is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import miagym
from benchmarks.speed.evaluation_memory import DUMMY_SIZE, write
from miagym.api import evaluate as door
from miagym.evaluation import run as engine
from miagym.targets.dummy import DummyTarget

DRAWN = 60
"""Rows of each side that this test lets rules and the audit see."""

MAX_GROWTH = 2_500
"""Bytes that one more candidate may take: features of a blind rule alone are 33 KB, what the audit
keeps of a picture 10 to 20; a label, a digest, a caption and four scores are some 500 bytes."""

EVALUATED = """
import functools, sys
from miagym.api import evaluate as door
from miagym.evaluation import run as engine
from benchmarks.speed.evaluation_memory import evaluated
engine.AUDITED = int(sys.argv[3])
door.Config = functools.partial(door.Config, learn_on=int(sys.argv[3]))
evaluated(sys.argv[1], sys.argv[2], "sima", dummy=True)
"""


def took(n: int, folder: Path) -> dict[str, float]:
    """What n candidates take, in a process of its own."""
    data = folder / f"{n}.parquet"
    write(data, n, DUMMY_SIZE)
    done = subprocess.run(
        [sys.executable, "-c", EVALUATED, str(data), str(folder / str(n)), str(DRAWN)],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
@pytest.mark.slow
def test_memory_does_not_grow_with_the_candidates(tmp_path: Path) -> None:
    few, many = 4_000, 20_000
    first, second = took(few, tmp_path), took(many, tmp_path)
    growth = (second["peak_mib"] - first["peak_mib"]) * 2**20 / (many - few)
    assert growth < MAX_GROWTH, (first, second)
    assert second["report_bytes"] < 5e6


def test_what_was_drawn_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_forests: None
) -> None:
    n, learned, seen = 120, 11, 15
    write(tmp_path / "data.parquet", n, DUMMY_SIZE)
    data = miagym.load_data(str(tmp_path / "data.parquet"))
    target = DummyTarget(data.candidates(np.flatnonzero(data.member)[:8], DUMMY_SIZE))
    monkeypatch.setattr(engine, "AUDITED", seen)
    config = door.Config
    monkeypatch.setattr(
        door, "Config", lambda **given: config(**given, choose_on=5, learn_on=learned)
    )
    found = miagym.evaluate(target, data, "sima", null=None, reference=None, out=tmp_path / "out")
    (audited,), (of_data,) = found.results.audit, found.results.run.data
    assert audited.drawn is not None and of_data.learned_on is not None
    assert (audited.n_members, audited.drawn.members, audited.drawn.of_members) == (15, 15, 40)
    assert (of_data.learned_on.nonmembers, of_data.learned_on.of_nonmembers) == (learned, 20)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for said in (f"Looked at {audited.drawn}.", f"rules come from {of_data.learned_on}."):
        assert said in page
    assert str(of_data.learned_on).startswith("11 of 20 members and 11 of 20 non-members")
    assert str(of_data.learned_on) in str(found)
