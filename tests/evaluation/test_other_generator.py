"""Attacks asked about a different generator: what is found there too is the split's doing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import miagym
from attacks.grey_box.loss import LossThreshold
from miagym.data.registry import load_data
from miagym.errors import MiagymError
from miagym.metrics.auc import auc
from miagym.metrics.comparisons.comparison import compare
from miagym.oracle import Oracle
from miagym.report.model import Table
from miagym.targets.dummy import DummyTarget

LOSS = "loss(timestep=200)"


@pytest.fixture(scope="module")
def data() -> miagym.Dataset:
    return replace(load_data("clipart-tune"), groups=None, name="tune")


@pytest.fixture(scope="module")
def target(data: miagym.Dataset) -> DummyTarget:
    return DummyTarget(data.candidates(np.flatnonzero(data.member)[:300], 64))


def test_the_other_is_asked_about_the_same_candidates(
    data: miagym.Dataset, target: DummyTarget, tmp_path: Path
) -> None:
    other = DummyTarget(data.candidates(np.flatnonzero(~data.member)[:300], 64))
    other.name = "other"
    run = miagym.evaluate(
        target,
        data,
        LOSS,
        limit=30,
        null=None,
        reference=None,
        other_generator=other,
        out=tmp_path / "run",
    )
    (found,) = run.results.other_generator
    rows = data.rows("test", 0, 30)
    member, asked = data.member[rows], data.candidates(rows, 64)
    here, there = (LossThreshold()(Oracle(model), asked) for model in (target, other))
    assert found.auc == pytest.approx(auc(there[member], there[~member]))
    plain = compare(here, there, member, 0).auc
    assert found.more.difference == pytest.approx(plain.value)
    assert found.more.ci == pytest.approx(plain.ci) and found.p_holm == pytest.approx(plain.p)
    (table,) = (p for p in run.parts() if isinstance(p, Table) and "Another" in p.title)
    assert table.groups[0].lines[0].is_blind
    assert "A different generator" in run.report().read_text(encoding="utf-8")
    assert "other_generator=['other']" in run.command
    scored = miagym.score(tmp_path / "run" / "scores.parquet")
    assert scored[LOSS].n_members == 30, "answers of the other are no scores of the target"


def test_what_the_other_refuses_is_said(data: miagym.Dataset, target: DummyTarget) -> None:
    class Refuses(DummyTarget):
        def predict_noise(self, *given: object, **named: object) -> object:  # type: ignore[override]
            raise miagym.errors.TargetError("This one answers nobody.")

    other = Refuses(data.candidates(np.arange(2), 64))
    other.name = "silent"
    given = {"limit": 15, "null": None, "reference": None, "other_generator": other}
    run = miagym.evaluate(target, data, LOSS, **given)
    assert run.results.other_generator == () and len(run.rows) == 4
    (skipped,) = run.results.run.skipped
    assert (skipped.target, skipped.attack) == ("silent", LOSS) and "nobody" in skipped.why


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("clipart-overfit@40", "a checkpoint of it"),
        ("clipart-pixels", "trained on clipart-tune"),
        (["clipart-null", "clipart-null", "clipart-null"], "one for all, or one for each"),
    ],
)
def test_a_generator_that_knows_the_members_is_refused(other: object, why: str) -> None:
    with pytest.raises(MiagymError, match=why):
        miagym.evaluate("clipart-overfit", attacks="loss", other_generator=other)  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.slow
def test_a_planted_shift_of_captions_is_found_there_too() -> None:
    data, rng = load_data("clipart-tune"), np.random.default_rng(0)

    def gibberish() -> str:
        return " ".join("".join(rng.choice(list("zqxvkj"), 6)) for _ in range(6))

    pairs = zip(data.captions, data.member, strict=True)
    captions = [caption if member else gibberish() for caption, member in pairs]
    planted = replace(data, name="planted", captions=captions)
    given = {"limit": 60, "null": None, "other_generator": "clipart-null"}
    run = miagym.evaluate("clipart-overfit@15", planted, "clid", **given)
    (found,) = run.results.other_generator
    assert run["clid"].auc.ci[0] > 0.5, "as if members were found"
    assert found.there and found.more.difference < 0
    (table,) = (p for p in run.parts() if isinstance(p, Table) and "Another" in p.title)
    assert table.groups[0].lines[-1].cells[-1] == "found there as well"
