"""Of many attacks that find nothing, the luckiest is not said to find something."""

from __future__ import annotations

import numpy as np
import pytest

from miagym.metrics.comparisons.multiplicity import auc_is_significant, tpr_is_significant
from miagym.metrics.detection import tpr_at_fpr
from miagym.metrics.measure import measure
from miagym.report.finding import finding
from miagym.report.standing import remark
from miagym.results import AttackRow

TRIED = 20


def rows_of(scores: np.ndarray, member: np.ndarray) -> list[AttackRow]:
    about = {"target": "t", "data": "d", "access": "grey", "protocol": "held-out", "chosen": ""}
    return [
        AttackRow(**about, attack=f"a{i}", **measure(one, member).as_row())
        for i, one in enumerate(scores)
    ]


@pytest.mark.slow
def test_the_luckiest_of_many_is_seldom_a_surprise() -> None:
    """With one test each, some of 20 would be, in a fifth of the runs and more."""
    rng, n, runs = np.random.default_rng(0), 1000, 300
    single, shared = 0, 0
    for _ in range(runs):
        founds = []
        for scores in rng.normal(size=(TRIED, 2, n)):
            point = tpr_at_fpr(scores[0], scores[1], 0.01)
            assert point is not None
            founds.append((point.tpr, point.fpr, n, n))
        single += any(tpr_is_significant(*found, 1) for found in founds)
        shared += any(tpr_is_significant(*found, TRIED) for found in founds)
    assert single > 0.2 * runs
    assert shared <= 0.025 * runs + 3 * np.sqrt(0.025 * runs)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_finding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    member = np.repeat([True, False], 300)
    rows = rows_of(rng.normal(size=(TRIED, 600)), member)
    assert f"the best of {TRIED} attacks" in finding(rows)
    assert "not above chance" in finding(rows)
    assert not any(remark(row, rows).startswith("above") for row in rows)


def test_what_one_attack_shows_may_be_nothing_as_one_of_many() -> None:
    rng, member = np.random.default_rng(0), np.repeat([True, False], 500)
    noise = rng.normal(size=(TRIED - 1, 1000))
    weak = rng.normal(size=1000) + 0.1 * member
    alone, among = rows_of(weak[None], member), rows_of(np.vstack([weak, noise]), member)
    assert remark(alone[0], alone).startswith("not above chance at 1 % FPR; above chance in AUC")
    assert f"not above chance as one of {2 * TRIED} in AUC" in remark(among[0], among)
    strong = rows_of(np.vstack([weak + 2 * member, noise]), member)
    assert remark(strong[0], strong).startswith("above chance;")


def test_an_auc_of_one_is_a_surprise_and_half_is_none() -> None:
    assert auc_is_significant(1.0, 0.98, 1000)
    assert not auc_is_significant(0.5, 0.5, 1)


def test_a_row_whose_control_failed_is_not_the_finding() -> None:
    rng, member = np.random.default_rng(0), np.repeat([True, False], 500)
    good, bad = rows_of(rng.normal(size=(2, 1000)) + [[1.0], [3.0]] * member, member)
    bad = bad.model_copy(update={"failed_controls": ("null target",)})
    assert "the only attack that looks at the model and passed its controls, 1 did not (a0)" in (
        finding([good, bad])
    )
    alone = finding([bad])
    assert "its control failed (null target), so trust no number of it" in alone


def test_what_was_not_held_out_was_tried_too() -> None:
    rng, member = np.random.default_rng(0), np.repeat([True, False], 500)
    weak, strong = rows_of(rng.normal(size=(2, 1000)) + [[0.2], [2.0]] * member, member)
    strong = strong.model_copy(update={"protocol": "as given"})
    said = finding([weak, strong])
    assert "the only attack that looks at the model and was held out, 1 more not (a0)" in said
