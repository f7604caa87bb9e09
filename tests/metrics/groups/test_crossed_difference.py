"""Difference of two AUCs over models and pictures: recomputed, and as rarely wrong as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from miagym.metrics.auc import auc
from miagym.metrics.comparisons.comparison import compare
from miagym.metrics.resampling.crossed_difference import crossed_auc_difference

MODELS, PICTURES = 8, 20
MODEL, PICTURE = (each.ravel() for each in np.mgrid[:MODELS, :PICTURES])


def scores(rng: np.random.Generator, gain: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two attacks on the same pairs, each with luck of its own on models and on pictures."""
    member = rng.permuted(np.tile(np.arange(PICTURES) % 2 == 0, (MODELS, 1)), axis=1)
    both = [
        rng.normal(size=(MODELS, PICTURES))
        + rng.normal(size=PICTURES) * 0.5
        + member * (1 + more + rng.normal(size=(MODELS, 1)) * 0.5)
        for more in (gain, 0.0)
    ]
    return both[0].ravel(), both[1].ravel(), member.ravel()


def test_it_is_two_jackknives_whose_variances_add() -> None:
    first, second, member = scores(np.random.default_rng(0), 0.8)
    found = crossed_auc_difference(first, second, member, MODEL, PICTURE)

    def difference(rows: np.ndarray) -> float:
        one, other = (auc(each[rows & member], each[rows & ~member]) for each in (first, second))
        return one - other

    variance = 0.0
    for groups, k in ((MODEL, MODELS), (PICTURE, PICTURES)):
        without = np.array([difference(groups != one) for one in range(k)])
        variance += (k - 1) / k * ((without - without.mean()) ** 2).sum()
    value = difference(np.ones(len(member), dtype=bool))
    assert found.value == pytest.approx(value)
    assert found.p == pytest.approx(2 * t.sf(abs(value) / np.sqrt(variance), MODELS - 1))
    arm = t.ppf(0.975, MODELS - 1) * np.sqrt(variance)
    assert found.ci == pytest.approx((value - arm, value + arm))


def test_where_nothing_differs_it_is_the_comparison_over_pictures() -> None:
    first, _, member = scores(np.random.default_rng(1), 0.0)
    found = crossed_auc_difference(first, 2 * first, member, MODEL, PICTURE)
    assert found == compare(first, 2 * first, member, 0, PICTURE).auc
    assert found.value == 0 and found.p == 1 and found.ci[0] < 0 < found.ci[1]


@pytest.mark.slow
def test_of_equal_attacks_no_more_than_1_in_20_are_told_apart() -> None:
    rng, drawn = np.random.default_rng(2), 400
    found = [
        crossed_auc_difference(*scores(rng, 0.0), MODEL, PICTURE).p < 0.05 for _ in range(drawn)
    ]
    assert np.mean(found) <= 0.06
    shown = [crossed_auc_difference(*scores(rng, 2.0), MODEL, PICTURE).p < 0.05 for _ in range(50)]
    assert np.mean(shown) > 0.5
