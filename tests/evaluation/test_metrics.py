"""Metrics against known answers, brute force, scikit-learn and simulation."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from miagym.errors import DataError
from miagym.evaluation.metrics import (
    _allowed,
    _delong_variance,
    auc,
    auc_interval,
    measure,
    roc,
    tpr_at_fpr,
    tpr_interval,
)

# Few distinct values, so that ties are the rule.
SIDE = st.lists(st.integers(-5, 5), min_size=1, max_size=40).map(np.array)
ALPHA = st.floats(0.005, 0.99)


def test_auc_counts_ties_half() -> None:
    """Pairs by hand: 1 of 4 lost, one tied."""
    assert auc([2, 3], [2, 1]) == (0.5 + 1 + 1 + 1) / 4
    assert auc([1], [0]) == 1
    assert auc([0, 0], [0]) == 0.5


@given(SIDE, SIDE)
def test_auc_is_that_of_scikit_learn(members: NDArray, nonmembers: NDArray) -> None:
    """Also the sides swapped add up to 1, and the interval holds the point within [0, 1]."""
    label = np.repeat([1, 0], [len(members), len(nonmembers)])
    expected = roc_auc_score(label, np.concatenate([members, nonmembers]))
    value, (low, high) = auc(members, nonmembers), auc_interval(members, nonmembers)
    assert value == pytest.approx(float(expected))
    assert value + auc(nonmembers, members) == pytest.approx(1)
    assert 0 <= low <= value <= high <= 1
    assert low < high


@given(SIDE, SIDE, ALPHA)
def test_no_threshold_is_better(members: NDArray, nonmembers: NDArray, alpha: float) -> None:
    """Brute force over all thresholds; the bootstrap interval holds the point."""
    point = tpr_at_fpr(members, nonmembers, alpha)
    interval = tpr_interval(members, nonmembers, alpha, seed=0, resamples=500)
    if alpha < 1 / len(nonmembers):
        assert point is None and interval is None
        return
    assert point is not None and interval is not None
    assert point.fpr == np.mean(nonmembers > point.threshold) <= alpha
    allowed = [t for t in range(-6, 7) if np.mean(nonmembers > t) <= alpha]
    assert point.tpr == max(np.mean(members > t) for t in allowed)
    assert 0 <= interval[0] <= point.tpr <= interval[1] <= 1


@given(SIDE, SIDE, ALPHA)
def test_only_the_order_counts(members: NDArray, nonmembers: NDArray, alpha: float) -> None:
    """A monotone transform changes the threshold and nothing else."""
    before, after = (
        (
            auc(a, b),
            auc_interval(a, b),
            tpr_interval(a, b, alpha, seed=3, resamples=100),
            (point := tpr_at_fpr(a, b, alpha)) and (point.tpr, point.fpr),
        )
        for a, b in ((members, nonmembers), (np.exp(members / 2), np.exp(nonmembers / 2)))
    )
    assert before == after


def test_fpr_edge_is_allowed_and_ties_fall_below_it() -> None:
    """FPR <= alpha, not <; a tie across the threshold cannot be cut."""
    nonmembers = np.arange(10.0)
    point = tpr_at_fpr([8.5, 9.5, 0], nonmembers, 0.1)
    assert point is not None
    assert (point.tpr, point.fpr, point.threshold) == (2 / 3, 0.1, 8)
    tied = tpr_at_fpr([8.5, 9.5, 0], [0, 0, 0, 0, 0, 0, 0, 0, 9, 9], 0.1)
    assert tied is not None
    assert (tied.tpr, tied.fpr, tied.threshold) == (1 / 3, 0, 9)


@pytest.mark.parametrize(
    ("alpha", "n", "k"), [(0.01, 1000, 10), (0.29, 100, 29), (0.01, 99, 0), (1 / 3, 3, 1)]
)
def test_floor_does_not_round(alpha: float, n: int, k: int) -> None:
    """0.29 * 100 is 28.999999999999996."""
    assert _allowed(alpha, n) == k


@given(st.integers(1, 3000), st.data())
def test_floor_finds_every_share(n: int, data: st.DataObject) -> None:
    """The share k/n as a float allows k non-members."""
    k = data.draw(st.integers(0, n - 1))
    assert k == 0 or _allowed(k / n, n) == k


def test_too_few_nonmembers_do_not_resolve_alpha() -> None:
    """99 non-members say nothing at 1 %; 100 do."""
    scores = np.arange(99)
    assert tpr_at_fpr([1], scores, 0.01) is None
    assert tpr_at_fpr([1], np.arange(100), 0.01) is not None


@given(SIDE.filter(lambda side: len(side) > 1), SIDE.filter(lambda side: len(side) > 1))
def test_delong_variance_is_the_direct_one(members: NDArray, nonmembers: NDArray) -> None:
    """All m n comparisons laid out, as DeLong wrote them."""
    wins = np.sign(members[:, None] - nonmembers[None, :]) / 2 + 0.5
    of_members = wins.mean(axis=1).var(ddof=1) / len(members)
    of_nonmembers = wins.mean(axis=0).var(ddof=1) / len(nonmembers)
    direct = of_members + of_nonmembers
    assert _delong_variance(members, nonmembers) == pytest.approx(direct, abs=1e-15)


def test_degenerate_auc_still_has_an_interval() -> None:
    """Perfect separation is not certainty, and neither are ties everywhere."""
    low, high = auc_interval(np.arange(100) + 1000, np.arange(200))
    assert (low, high) == (0.025 ** (1 / 100), 1)
    assert auc_interval(np.arange(200), np.arange(100) + 1000) == (0, 1 - low)
    low, high = auc_interval(np.zeros(200), np.zeros(200))
    assert low == pytest.approx(1 - high) and 0.3 < low < 0.5
    assert auc_interval([1.0], [1.0]) == (0, 1)


def test_auc_interval_covers() -> None:
    """95 % means 95 %: normal scores, true AUC 0.64."""
    rng, truth = np.random.default_rng(0), 0.638163
    covered = 0
    for _ in range(300):
        low, high = auc_interval(rng.normal(0.5, 1, 200), rng.normal(0, 1, 200))
        covered += low <= truth <= high
    assert 0.90 <= covered / 300 <= 0.99


def test_tpr_interval_is_the_plain_bootstrap() -> None:
    """Resamples laid out one by one give the same interval, ties included."""
    rng = np.random.default_rng(1)
    members, nonmembers = rng.normal(1, 1, 150).round(1), rng.normal(0, 1, 120).round(1)
    plain = []
    for _ in range(4000):
        a, b = rng.choice(members, 150), rng.choice(nonmembers, 120)
        plain.append(np.mean(a > np.sort(b)[::-1][_allowed(0.05, 120)]))
    quick = tpr_interval(members, nonmembers, 0.05, seed=0, resamples=4000)
    assert quick == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.02)


def test_tpr_interval_is_seeded_wide_at_the_ends_and_quick() -> None:
    """Nothing found among 100 members leaves 3.6 % open; 100,000 rows take no time."""
    low, high = tpr_interval(np.zeros(100), np.ones(200), 0.01, seed=0) or (1, 1)
    assert (low, high) == (0, pytest.approx(0.036, abs=1e-3))
    low, high = tpr_interval(np.ones(100), np.zeros(200), 0.01, seed=0) or (0, 0)
    assert (low, high) == (pytest.approx(0.964, abs=1e-3), 1)
    rng, start = np.random.default_rng(0), time.perf_counter()
    members, nonmembers = rng.normal(1, 1, 50_000), rng.normal(0, 1, 50_000)
    first = tpr_interval(members, nonmembers, 0.01, seed=0)
    assert time.perf_counter() - start < 10
    assert first == tpr_interval(members, nonmembers, 0.01, seed=0)
    assert first != tpr_interval(members, nonmembers, 0.01, seed=1)


def test_roc_keeps_every_point() -> None:
    """Collinear points stay."""
    fpr, tpr = roc([3, 2, 1], [3, 2, 1])
    assert fpr.tolist() == tpr.tolist() == [0, 1 / 3, 2 / 3, 1]


@pytest.mark.parametrize("bad", [[], [1, np.nan], [np.inf], [[1.0]]])
def test_unusable_scores_are_refused(bad: list) -> None:
    """On either side, by every function."""
    for sides in ((bad, [1.0]), ([1.0], bad)):
        with pytest.raises(DataError, match="member scores"):
            auc(*sides)
        with pytest.raises(DataError, match="member scores"):
            auc_interval(*sides)
        with pytest.raises(DataError, match="member scores"):
            tpr_interval(*sides, 0.5, seed=0)
        with pytest.raises(DataError, match="member scores"):
            roc(*sides)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, np.nan])
def test_alpha_is_a_share(alpha: float) -> None:
    """0 and 1 ask nothing."""
    with pytest.raises(ValueError, match="Expected alpha between 0 and 1"):
        tpr_at_fpr([1], [0], alpha)


def test_measure_bundles_and_dumps() -> None:
    """0.001 is there only where it resolves, 0.01 always; the row is JSON."""
    rng = np.random.default_rng(0)
    member = rng.permutation(np.repeat([True, False], 1000))
    scores = rng.normal(0, 1, 2000) + member
    metrics = measure(scores, member, seed=0)
    assert list(metrics.tpr_at_fpr) == [0.01, 0.001]
    assert metrics == measure(scores, member, seed=0)
    row = json.loads(json.dumps(metrics.as_row()))
    assert row["n_members"] == row["n_nonmembers"] == 1000
    assert row["auc"] == auc(scores[member], scores[~member])
    assert row["tpr_at_fpr"]["0.01"].keys() == {"tpr", "ci", "fpr"}
    few = measure([1.0, 0.0], np.array([True, False]), seed=0)
    assert few.tpr_at_fpr == {0.01: None}
    assert few.as_row()["tpr_at_fpr"] == {"0.01": None}


@pytest.mark.parametrize(
    ("scores", "member"),
    [([1.0, 2.0], [1, 0]), ([1.0], [True, False]), ([[1.0], [2.0]], [[True], [False]])],
)
def test_measure_refuses_misshapen_input(scores: list, member: list) -> None:
    """Labels of 0 and 1 would index rows instead of choosing them."""
    with pytest.raises(DataError, match=r"Expected scores \(n,\)"):
        measure(scores, np.array(member), seed=0)
    with pytest.raises(DataError, match="both needed"):
        measure([1.0, 2.0], np.array([True, True]), seed=0)
