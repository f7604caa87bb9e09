"""The table of memory in docs/evaluate/big-runs.md is what its benchmark counts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from attacks import make_attack
from benchmarks.speed.chunk_memory import SIDE, ShapesOnly, kept
from miagym.candidates import Candidates

TABLE = Path("docs/evaluate/big-runs.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pictures() -> Candidates:
    noise = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    return Candidates(noise, ("a cat on a mat", "a boat in the fog"))


@pytest.mark.parametrize("name", ["loss", "secmi", "clid", "pfami", "rediffuse", "text-to-image"])
def test_a_row_is_what_a_dry_run_counts(name: str, pictures: Candidates) -> None:
    row = re.search(rf"^\| `{name}` \| ([\d.]+) \| ([\d.]+) \|$", TABLE, re.MULTILINE)
    assert row, f"docs/evaluate/big-runs.md has no row of {name}"
    attack, target = make_attack(name), ShapesOnly(pictures[:1])
    for attacks, stated in zip(([attack], attack.variants()), row.groups(), strict=True):
        assert f"{kept(attacks, target, pictures[1:]) / 1e6:.2f}" == stated
