"""Thresholds against known answers, brute force and simulation."""

from __future__ import annotations

import json
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm

from miagym.errors import DataError
from miagym.metrics.detection import allowed, not_resolvable, tpr_at_fpr, tpr_interval
from miagym.metrics.thresholds import at_threshold, balanced_threshold, threshold_for

# Few distinct values, so that ties are the rule.
SIDE = st.lists(st.integers(-5, 5), min_size=1, max_size=40).map(np.array)
ALPHA = st.floats(0.005, 0.99)


@given(SIDE, SIDE, ALPHA)
def test_no_threshold_is_better(members: NDArray, nonmembers: NDArray, alpha: float) -> None:
    """Brute force over all thresholds; the interval holds the point."""
    point = tpr_at_fpr(members, nonmembers, alpha)
    interval = tpr_interval(members, nonmembers, alpha)
    if alpha < 1 / len(nonmembers):
        assert point is None and interval is None
        return
    assert point is not None and interval is not None
    assert point.fpr == np.mean(nonmembers > point.threshold) <= alpha
    thresholds = [t for t in range(-6, 7) if np.mean(nonmembers > t) <= alpha]
    assert point.tpr == max(np.mean(members > t) for t in thresholds)
    assert 0 <= interval[0] <= point.tpr <= interval[1] <= 1
    assert interval[0] < interval[1]


@given(SIDE, SIDE, ALPHA)
def test_only_the_order_of_scores_counts(
    members: NDArray, nonmembers: NDArray, alpha: float
) -> None:
    """A monotone transform changes the threshold and nothing else."""
    before, after = (
        (
            tpr_interval(a, b, alpha),
            (point := tpr_at_fpr(a, b, alpha)) and (point.tpr, point.fpr),
            at_threshold(a, b, balanced_threshold(a, b)).balanced_accuracy_ci,
        )
        for a, b in ((members, nonmembers), (np.exp(members / 2), np.exp(nonmembers[::-1] / 2)))
    )
    assert before == after


@given(SIDE, SIDE, ALPHA, st.floats(0.5, 0.9), st.floats(0.91, 0.999))
def test_more_confidence_is_wider(
    members: NDArray, nonmembers: NDArray, alpha: float, less: float, more: float
) -> None:
    narrow, wide = (tpr_interval(members, nonmembers, alpha, confidence=c) for c in (less, more))
    if narrow and wide:
        assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


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
    assert allowed(alpha, n) == k


@given(st.integers(1, 3000), st.data())
def test_floor_finds_every_share(n: int, data: st.DataObject) -> None:
    """The share k/n as a float allows k non-members."""
    k = data.draw(st.integers(0, n - 1))
    assert k == 0 or allowed(k / n, n) == k


def test_too_few_nonmembers_do_not_resolve_alpha() -> None:
    """99 non-members say nothing at 1 %; 100 do."""
    scores = np.arange(99)
    assert tpr_at_fpr([1], scores, 0.01) is None
    assert not_resolvable(len(scores)) == "not resolvable with n = 99"
    assert tpr_at_fpr([1], np.arange(100), 0.01) is not None


def test_tpr_interval_is_the_mean_mid_p_value_over_the_rank() -> None:
    """Melding by simulation: a rank of the threshold, a side of its gap, a TPR that fits."""
    rng = np.random.default_rng(1)
    members, nonmembers = rng.normal(1, 1, 150).round(1), rng.normal(0, 1, 500).round(1)
    rank = rng.binomial(500, 0.05, 200_000)
    ends = np.concatenate([[np.inf], np.sort(nonmembers)[::-1], [-np.inf]])
    upper = rng.random(len(rank)) < 0.5
    passed = np.sum(members[:, None] > ends, axis=0)[rank + upper]
    tpr = beta.rvs(passed + upper, 150 - passed + ~upper, random_state=rng)
    interval = tpr_interval(members, nonmembers, 0.05)
    assert interval == pytest.approx(tuple(np.quantile(tpr, [0.025, 0.975])), abs=0.004)


def test_tpr_interval_covers() -> None:
    """True TPR at 1 % FPR; docs/benchmarks/validity/intervals.md has every kind of score."""
    rng = np.random.default_rng(0)
    for n, shift, least, most in ((200, 1, 0.96, 1), (1000, 1, 0.93, 0.98), (1000, 2, 0.93, 0.98)):
        truth, covered = norm.sf(norm.isf(0.01) - shift), 0
        for _ in range(250):
            interval = tpr_interval(rng.normal(shift, 1, n), rng.normal(0, 1, n), 0.01)
            assert interval is not None
            covered += interval[0] <= truth <= interval[1]
        assert least <= covered / 250 <= most


def test_an_interval_from_too_few_begins_at_0() -> None:
    """With 298 non-members all may lie below the threshold for 1 %, whatever members score."""
    members = np.full(1000, 9.0)
    for n, low in ((298, 0), (299, 0.0001), (2000, 0.99)):
        found = tpr_interval(members, np.arange(n) / n, 0.01)
        assert found is not None
        assert found[0] >= low and (n > 298 or found[0] == 0) and found[1] == 1


def test_tpr_interval_is_wide_at_the_ends_and_quick() -> None:
    """Nothing found among 100 members leaves more than 3 % open; 100,000 rows take no time."""
    low, high = tpr_interval(np.zeros(100), np.ones(200), 0.01) or (1, 1)
    assert low == 0 and 0.02 < high < 0.04
    rng = np.random.default_rng(0)
    members, nonmembers = rng.normal(1, 1, 50_000), rng.normal(0, 1, 50_000)
    start = time.process_time()
    assert tpr_interval(members, nonmembers, 0.01) == tpr_interval(members, nonmembers, 0.01)
    assert time.process_time() - start < 2


@given(SIDE, SIDE, st.integers(-6, 6))
def test_at_threshold_is_what_it_says(
    members: NDArray, nonmembers: NDArray, threshold: int
) -> None:
    """Shares, their Clopper-Pearson ends from the definition, and plain numbers in the row."""
    found = at_threshold(members, nonmembers, threshold)
    assert found.tpr == np.mean(members > threshold)
    assert found.fpr == np.mean(nonmembers > threshold)
    assert found.balanced_accuracy == pytest.approx((found.tpr + 1 - found.fpr) / 2)
    passed, (low, high) = int(np.sum(members > threshold)), found.tpr_ci
    assert low == 0 or binom.sf(passed - 1, len(members), low) == pytest.approx(0.025)
    assert high == 1 or binom.cdf(passed, len(members), high) == pytest.approx(0.025)
    low, high = found.balanced_accuracy_ci
    assert 0 <= low < found.balanced_accuracy + 1e-9 and found.balanced_accuracy - 1e-9 < high <= 1
    row = json.loads(json.dumps(found.as_row()))
    assert row["fpr_ci"] == list(found.fpr_ci) and row["n_members"] == len(members)


@given(SIDE, SIDE, st.integers(-6, 6))
def test_sides_and_signs_swapped_mirror_a_threshold(
    members: NDArray, nonmembers: NDArray, threshold: int
) -> None:
    """To find non-members by low scores is the same test (no score equals x.5)."""
    one = at_threshold(members, nonmembers, threshold + 0.5)
    two = at_threshold(-nonmembers, -members, -threshold - 0.5)
    assert one.balanced_accuracy == pytest.approx(two.balanced_accuracy)
    assert one.balanced_accuracy_ci == pytest.approx(two.balanced_accuracy_ci)


@given(SIDE, SIDE)
def test_no_threshold_is_more_balanced(members: NDArray, nonmembers: NDArray) -> None:
    """Brute force with fractions; of equals the highest."""

    def accuracy(threshold: float) -> Fraction:
        found = Fraction(int(np.sum(members > threshold)), len(members))
        return found - Fraction(int(np.sum(nonmembers > threshold)), len(nonmembers))

    chosen = balanced_threshold(members, nonmembers)
    every = np.unique(np.concatenate([members, nonmembers]))
    best = max(accuracy(t) for t in every)
    assert chosen == max(t for t in every if accuracy(t) == best)
    assert best >= 0


@given(SIDE, ALPHA)
def test_a_conformal_threshold_is_the_lowest_that_keeps_its_promise(
    scores: NDArray, alpha: float
) -> None:
    """Each of n + 1 exchangeable non-members is the fresh one once: at most alpha of them pass."""
    everyone = np.append(scores, 0)
    passed = []
    for fresh in range(len(everyone)):
        threshold = threshold_for(np.delete(everyone, fresh), alpha)
        passed.append(threshold is not None and everyone[fresh] > threshold)
    assert np.mean(passed) <= alpha
    assert (threshold_for(scores, alpha) is None) == (alpha < 1 / (len(scores) + 1))


def test_a_conformal_threshold_knows_its_limit() -> None:
    """99 non-members resolve 1 %, and 98 do not; then the largest is the threshold."""
    assert threshold_for(np.arange(98), 0.01) is None
    assert threshold_for(np.arange(99), 0.01) == 98
    assert threshold_for(np.arange(199), 0.01) == 197


@pytest.mark.parametrize("bad", [[], [1, np.nan], [np.inf], [[1.0]]])
def test_unusable_scores_are_refused(bad: list) -> None:
    """On either side, by every function."""
    for sides in ((bad, [1.0]), ([1.0], bad)):
        for function, *rest in (
            (tpr_at_fpr, 0.5),
            (tpr_interval, 0.5),
            (at_threshold, 0.0),
            (balanced_threshold,),
        ):
            with pytest.raises(DataError, match="member scores"):
                function(*sides, *rest)
    with pytest.raises(DataError, match="member scores"):
        threshold_for(bad, 0.5)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, np.nan])
def test_alpha_is_a_share(alpha: float) -> None:
    """0 and 1 ask nothing; a threshold is a number."""
    with pytest.raises(ValueError, match="Expected alpha between 0 and 1"):
        tpr_at_fpr([1], [0], alpha)
    with pytest.raises(ValueError, match="Expected alpha between 0 and 1"):
        threshold_for([0], alpha)
    with pytest.raises(ValueError, match="Expected a finite threshold"):
        at_threshold([1], [0], np.nan)
