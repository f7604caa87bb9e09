"""Evaluations where memory runs out: the same scores and charges, or a sentence and no result."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from torch import Tensor

import miagym
from attacks.grey_box.loss import LossThreshold
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.errors import MemoryRanOut, TargetError
from miagym.evaluation import scoring
from miagym.oracle import Cache, Oracle
from miagym.targets.base import Target, Timesteps
from miagym.targets.dummy import DummyTarget
from tests.oracle.test_memory_runs_out import ERRORS, ROOM, Narrow

pytestmark = pytest.mark.usefixtures("small_forests")
ASKING = "pia,rediffuse,gradient-masking"
"""Grey, black and white: one row a call about one candidate."""

ATTACKS = "pia,trajectory-logistic"
"""One of them, and one that learns."""


@pytest.fixture(scope="module")
def data() -> miagym.Dataset:
    return replace(load_data("clipart-tune"), groups=None, name="tune")


@pytest.fixture(scope="module")
def known(data: miagym.Dataset) -> Candidates:
    return data.candidates(np.flatnonzero(data.member)[:40], 64)


def evaluated(
    target: Target, data: miagym.Dataset, out: Path, attacks: str = ATTACKS
) -> miagym.Run:
    limit = 10 if attacks == ATTACKS else 8  # fewer than 10 a side, and nothing is fitted
    return miagym.evaluate(
        target, data, attacks, null=None, reference=None, limit=limit, batch_size=16, out=out
    )


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Cache]:
    """The caches of answers that scoring makes, of all chunks and their parts."""
    caches: list[Cache] = []

    def make() -> Cache:
        caches.append(Cache())
        return caches[-1]

    monkeypatch.setattr(scoring, "Cache", make)
    return caches


def small_room(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    monkeypatch.setattr(scoring, "room", lambda device: size)


def results(out: Path) -> dict:
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def written(out: Path) -> dict[str, list]:
    return pq.read_table(out / "scores.parquet").to_pydict()


@pytest.mark.slow
def test_scores_and_charges_are_those_of_a_device_with_room(
    data: miagym.Dataset, known: Candidates, tmp_path: Path
) -> None:
    narrow = Narrow(known, ROOM, ERRORS[0])
    evaluated(DummyTarget(known), data, tmp_path / "roomy", ASKING)
    evaluated(narrow, data, tmp_path / "narrow", ASKING)
    assert max(narrow.asked) > ROOM
    roomy, found = written(tmp_path / "roomy"), written(tmp_path / "narrow")
    scores = found.pop("score")
    np.testing.assert_allclose(scores, roomy.pop("score"), rtol=1e-5, atol=1e-6)
    assert found == roomy


def test_a_chunk_takes_no_more_memory_than_there_is(
    data: miagym.Dataset,
    known: Candidates,
    kept: list[Cache],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    target = DummyTarget(known)
    small_room(monkeypatch, None)  # as where nobody knows how much there is
    evaluated(target, data, tmp_path / "whole")
    most = max(cache.kept_bytes for cache in kept)
    in_one = len(kept)
    kept.clear()
    small_room(monkeypatch, most // 3)
    evaluated(target, data, tmp_path / "parts")
    assert len(kept) >= in_one + 4
    assert 0 < max(cache.kept_bytes for cache in kept) <= most // 3
    whole, parts = written(tmp_path / "whole"), written(tmp_path / "parts")
    scores = parts.pop("score")
    np.testing.assert_allclose(scores, whole.pop("score"), rtol=1e-5, atol=1e-6)
    assert parts == whole
    rows = {where: results(tmp_path / where)["rows"] for where in ("whole", "parts")}
    assert set(ATTACKS.split(",")) <= {r["attack"] for r in rows["parts"]}
    assert [r["attack"] for r in rows["parts"]] == [r["attack"] for r in rows["whole"]]
    for mine, theirs in zip(rows["parts"], rows["whole"], strict=True):
        assert mine["auc"] == theirs["auc"] and mine["unet_rows"] == theirs["unet_rows"]


@pytest.mark.slow
def test_a_run_begun_with_room_goes_on_without(
    data: miagym.Dataset, known: Candidates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target, out = DummyTarget(known), tmp_path / "run"
    evaluated(target, data, out, ASKING)
    before = written(out)
    (out / "results.json").unlink()
    for chunk in (out / "chunks").glob("*-test-*"):
        chunk.unlink()
    small_room(monkeypatch, 1)
    evaluated(target, data, out, ASKING)
    after = written(out)
    np.testing.assert_allclose(after.pop("score"), before.pop("score"), rtol=1e-5, atol=1e-6)
    assert after == before


def test_what_one_part_refuses_is_left_out_of_the_whole_run(
    data: miagym.Dataset, known: Candidates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    last = data.candidates(data.rows("test", 0, 10)[-1:], 64).keys[0]

    class Choosy(LossThreshold):
        def __call__(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
            if last in candidates.keys:
                raise TargetError("Not this one.")
            return super().__call__(oracle, candidates)

    small_room(monkeypatch, 1)
    out = tmp_path / "run"
    run = miagym.evaluate(
        DummyTarget(known), data, [Choosy(), "pia"], limit=10, null=None, reference=None, out=out
    )
    assert [skipped.why for skipped in run.results.run.skipped] == ["Not this one."]
    asked = list(zip(written(out)["attack"], written(out)["part"], strict=True))
    assert asked.count(("pia", "test")) == 20
    assert ("choosy", "calibration") in asked and ("choosy", "test") not in asked


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
        evaluated(target, data, tmp_path / "run", ASKING)
    assert not (tmp_path / "run" / "results.json").exists()
    target.full = False
    evaluated(target, data, tmp_path / "run", ASKING)  # goes on where there is more memory
    assert set(ASKING.split(",")) <= set(written(tmp_path / "run")["attack"])
