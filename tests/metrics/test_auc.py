"""The AUC against known answers, brute force, scikit-learn and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import beta, norm
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from miagym.errors import DataError
from miagym.metrics.auc import MIN_SIDE, auc, auc_interval, delong, roc

# Few distinct values, so that ties are the rule.
SIDE = st.lists(st.integers(-5, 5), min_size=1, max_size=40).map(np.array)
SEVERAL = SIDE.filter(lambda side: len(side) > 1)


def test_auc_counts_ties_half() -> None:
    """Pairs by hand: 1 of 4 lost, one tied."""
    assert auc([2, 3], [2, 1]) == (0.5 + 1 + 1 + 1) / 4
    assert auc([1], [0]) == 1
    assert auc([0, 0], [0]) == 0.5


@settings(deadline=None)
@given(SIDE, SIDE)
def test_auc_is_that_of_scikit_learn(members: NDArray, nonmembers: NDArray) -> None:
    """Also the sides swapped mirror it, and the interval holds the point within [0, 1]."""
    label = np.repeat([1, 0], [len(members), len(nonmembers)])
    expected = roc_auc_score(label, np.concatenate([members, nonmembers]))
    value, (low, high) = auc(members, nonmembers), auc_interval(members, nonmembers)
    assert value == pytest.approx(float(expected))
    assert auc(nonmembers, members) == pytest.approx(1 - value)
    assert auc_interval(nonmembers, members) == pytest.approx((1 - high, 1 - low))
    assert 0 <= low <= value <= high <= 1
    assert low < high


@given(SIDE, SIDE, st.randoms(use_true_random=False))
def test_only_the_order_of_scores_counts(members: NDArray, nonmembers: NDArray, random) -> None:
    """Neither their unit, nor in which order the candidates come."""
    before = auc(members, nonmembers), auc_interval(members, nonmembers)
    assert before == (
        auc(np.exp(members / 2), np.exp(nonmembers / 2)),
        auc_interval(np.exp(members / 2), np.exp(nonmembers / 2)),
    )
    shuffled = random.sample(members.tolist(), len(members))
    assert before == (auc(shuffled, nonmembers), auc_interval(shuffled, nonmembers))


@given(SEVERAL, SEVERAL)
def test_delong_variance_is_the_direct_one(members: NDArray, nonmembers: NDArray) -> None:
    """All m n comparisons laid out, as DeLong wrote them, and the interval made of that."""
    wins = np.sign(members[:, None] - nonmembers[None, :]) / 2 + 0.5
    m, n = wins.shape
    ours, theirs = wins.mean(axis=1).var(ddof=1) / m, wins.mean(axis=0).var(ddof=1) / n
    variance, point = ours + theirs, wins.mean()
    if variance < 1e-12 or point in (0, 1):
        return
    freedom = variance**2 / (ours**2 / (m - 1) + theirs**2 / (n - 1))
    margin = student.isf(0.025, freedom) * np.sqrt(variance) / (point * (1 - point))
    low, high = expit(logit(point) + np.array([-margin, margin]))
    if (p := min(m, n)) < MIN_SIDE:  # Clopper-Pearson, of a number of successes that may be none
        low = min(low, beta.ppf(0.025, point * p, p - point * p + 1))
        high = max(high, beta.ppf(0.975, point * p + 1, p - point * p))
    assert auc_interval(members, nonmembers) == pytest.approx((low, high), abs=1e-9)


@given(SIDE, SIDE, st.integers(0, 5))
def test_counts_say_the_same(members: NDArray, nonmembers: NDArray, empty: int) -> None:
    """Places where nobody stands change nothing, so shuffles need not drop them."""
    counts = (np.bincount(side + 5 + empty, minlength=11 + empty) for side in (members, nonmembers))
    value, interval = delong(*counts)
    assert value == auc(members, nonmembers)
    assert interval == pytest.approx(auc_interval(members, nonmembers))


def test_degenerate_auc_still_has_an_interval() -> None:
    """Perfect separation is not certainty, and neither are ties everywhere."""
    low, high = auc_interval(np.arange(100) + 1000, np.arange(200))
    assert (low, high) == (0.025 ** (1 / 100), 1)
    assert auc_interval(np.arange(200), np.arange(100) + 1000) == (0, 1 - low)
    low, high = auc_interval(np.zeros(200), np.zeros(200))
    assert low == pytest.approx(1 - high) and 0.3 < low < 0.5
    assert auc_interval([1.0], [1.0]) == (0, 1)


def test_auc_interval_covers() -> None:
    """95 % means 95 %: normal scores, AUC 0.64. More: docs/benchmarks/validity/intervals.md."""
    rng, truth = np.random.default_rng(0), 0.638163
    intervals = [auc_interval(rng.normal(0.5, 1, 200), rng.normal(0, 1, 200)) for _ in range(1000)]
    assert 0.93 <= np.mean([low <= truth <= high for low, high in intervals]) <= 0.97


@pytest.mark.parametrize(("m", "least"), [(2, 0.95), (10, 0.95), (50, 0.9)])
def test_few_members_are_few_however_many_the_others(m: int, least: float) -> None:
    """True AUC 0.961; DeLong's own interval covers 61, 81 and 92 %. From 30 on, it is close."""
    rng, truth = np.random.default_rng(1), norm.cdf(2.5 / np.sqrt(2))
    found = [auc_interval(rng.normal(2.5, 1, m), rng.normal(0, 1, 1000)) for _ in range(400)]
    assert np.mean([low <= truth <= high for low, high in found]) >= least


def test_roc_keeps_every_point() -> None:
    """Collinear points stay."""
    fpr, tpr = roc([3, 2, 1], [3, 2, 1])
    assert fpr.tolist() == tpr.tolist() == [0, 1 / 3, 2 / 3, 1]


@pytest.mark.parametrize("bad", [[], [1, np.nan], [np.inf], [[1.0]]])
def test_unusable_scores_are_refused(bad: list) -> None:
    """On either side, by every function."""
    for sides in ((bad, [1.0]), ([1.0], bad)):
        for function in (auc, auc_interval, roc):
            with pytest.raises(DataError, match="member scores"):
                function(*sides)


def test_one_sided_counts_are_refused() -> None:
    with pytest.raises(DataError, match="Expected members and non-members, got 3 and 0"):
        delong(np.array([1, 2]), np.array([0, 0]))


@pytest.mark.parametrize("confidence", [0, 1, 95, np.nan])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="Expected confidence between 0 and 1"):
        auc_interval([1], [0], confidence)
