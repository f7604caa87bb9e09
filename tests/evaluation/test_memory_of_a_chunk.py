"""Evaluations where memory runs out: the same scores and charges, or a sentence and no result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from torch import Tensor

import miagym
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.errors import MemoryRanOut
from miagym.targets.base import Target, Timesteps
from miagym.targets.dummy import DummyTarget
from tests.oracle.test_memory_runs_out import ERRORS, ROOM, Narrow

pytestmark = pytest.mark.usefixtures("small_forests")
ATTACKS = "pia,rediffuse,gradient-masking"
"""Grey, black and white."""


@pytest.fixture(scope="module")
def data() -> miagym.Dataset:
    return replace(load_data("clipart-tune"), groups=None, name="tune")


@pytest.fixture(scope="module")
def known(data: miagym.Dataset) -> Candidates:
    return data.candidates(np.flatnonzero(data.member)[:40], 64)


def evaluated(target: Target, data: miagym.Dataset, out: Path) -> miagym.Run:
    return miagym.evaluate(
        target, data, ATTACKS, null=None, reference=None, limit=8, batch_size=16, out=out
    )


def written(out: Path) -> dict[str, list]:
    return pq.read_table(out / "scores.parquet").to_pydict()


def test_scores_and_charges_are_those_of_a_device_with_room(
    data: miagym.Dataset, known: Candidates, tmp_path: Path
) -> None:
    narrow = Narrow(known, ROOM, ERRORS[0])
    evaluated(DummyTarget(known), data, tmp_path / "roomy")
    evaluated(narrow, data, tmp_path / "narrow")
    assert max(narrow.asked) > ROOM
    roomy, found = written(tmp_path / "roomy"), written(tmp_path / "narrow")
    scores = found.pop("score")
    np.testing.assert_allclose(scores, roomy.pop("score"), rtol=1e-5, atol=1e-6)
    assert found == roomy


def test_no_room_within_a_chunk_ends_the_run_and_leaves_no_attack_out(
    data: miagym.Dataset, known: Candidates, tmp_path: Path
) -> None:
    """One machine's memory must not decide which attacks a result has."""

    class Filling(DummyTarget):
        """Has room for what is asked about one candidate, and none in a chunk."""

        full = True

        def eps(self, z: Tensor, timestep: Timesteps, embeddings: Tensor) -> Tensor:
            self.chunk_began = getattr(self, "chunk_began", False) or len(z) > 1
            if self.full and self.chunk_began:
                raise ERRORS[0]
            return super().eps(z, timestep, embeddings)

    target = Filling(known)
    with pytest.raises(MemoryRanOut, match="'predict_noise' for one row"):
        evaluated(target, data, tmp_path / "run")
    assert not (tmp_path / "run" / "results.json").exists()
    target.full = False
    evaluated(target, data, tmp_path / "run")  # goes on where there is more memory
    assert set(ATTACKS.split(",")) <= set(written(tmp_path / "run")["attack"])
