"""Conformal p-values: by hand, and uniform for fresh non-members whatever the scores look like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from miagym.errors import DataError
from miagym.metrics.conformal import fpr_of_rule, fpr_range, p_values, smallest_p

FINITE = st.floats(-1e6, 1e6)


def test_by_hand_ties_count_against_membership() -> None:
    assert p_values([5.0, 3.0, 2.5, 0.0], [1.0, 2.0, 3.0]).tolist() == [1 / 4, 2 / 4, 2 / 4, 1.0]
    assert smallest_p(3) == 1 / 4


@given(st.lists(FINITE, min_size=1, max_size=30), FINITE, FINITE)
def test_higher_scores_never_have_higher_p_values(
    known: list[float], one: float, other: float
) -> None:
    low, high = p_values(sorted([one, other]), known)
    assert smallest_p(len(known)) <= high <= low <= 1


SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "discretised": lambda rng, n: rng.integers(0, 5, n).astype(float),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [100, 327])
def test_fresh_nonmembers_are_called_member_like_as_rarely_as_stated(shape: str, n: int) -> None:
    """5,000 fresh non-members, each with a calibration of its own: the count is binomial."""
    rng, fresh = np.random.default_rng(n), 5000
    p = np.array([
        p_values(scores[:1], scores[1:])[0]
        for scores in (SHAPES[shape](rng, n + 1) for _ in range(fresh))
    ])  # fmt: skip
    for alpha in (0.01, 0.05):
        few, many = binom.ppf([0.0005, 0.9995], fresh, fpr_of_rule(alpha, n))
        assert np.sum(p <= alpha) <= many
        if shape != "discretised":  # ties make it conservative
            assert np.sum(p <= alpha) >= few


def test_what_one_calibration_reaches_lies_in_its_range() -> None:
    rng, alpha, n = np.random.default_rng(1), 0.05, 100
    low, high = fpr_range(alpha, n)
    reached = []
    for _ in range(1000):
        known = rng.random(n)
        threshold = np.sort(known)[::-1][round(fpr_of_rule(alpha, n) * (n + 1)) - 1]
        reached.append(1 - threshold)  # of uniform scores
    inside = np.sum((np.array(reached) >= low) & (np.array(reached) <= high))
    assert binom.ppf(0.0005, 1000, 0.95) <= inside <= binom.ppf(0.9995, 1000, 0.95)


def test_a_range_is_wider_where_fewer_stand_behind_it() -> None:
    all_, few = fpr_range(0.05, 100), fpr_range(0.05, 100, worth=25.0)
    assert few[0] < all_[0] < 0.05 < all_[1] < few[1]
    assert fpr_range(1.0, 100) == (1, 1)
    assert fpr_range(0.05, 100, worth=100.0) == all_


def test_what_cannot_be_resolved_is_zero() -> None:
    assert fpr_of_rule(0.01, 98) == 0 and fpr_range(0.01, 98) == (0, 0)
    assert fpr_of_rule(0.01, 99) == pytest.approx(0.01)


@pytest.mark.parametrize(("score", "known"), [(np.nan, [1.0]), (1.0, [np.inf]), (1.0, [])])
def test_scores_that_are_none_are_refused(score: float, known: list[float]) -> None:
    with pytest.raises(DataError, match="finite scores"):
        p_values(score, known)
