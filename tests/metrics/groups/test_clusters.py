"""Groups: without them nothing changes, and with them intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from miagym.errors import DataError
from miagym.metrics.comparisons.comparison import compare
from miagym.metrics.controls import label_shuffle, nonmembers_against_nonmembers, null_target
from miagym.metrics.distance import wasserstein
from miagym.metrics.groups.clusters import check_groups, effective_size, intraclass_correlation
from miagym.metrics.measure import measure
from miagym.metrics.thresholds import at_threshold

World = tuple[np.ndarray, np.ndarray, np.ndarray]


def world(
    rng: np.random.Generator, n: int, truth: float = 0.5, icc: float = 0.3, largest: int = 20
) -> World:
    """Scores, labels and groups of n a side: group sizes have heavy tails, members score higher."""
    scores, members, groups, first = [], [], [], 0
    for side in (True, False):
        sizes = np.minimum(rng.pareto(1.2, size=n).astype(int) + 1, largest)
        codes = np.repeat(np.arange(n), sizes)[:n]
        shared = rng.normal(size=n)[codes]
        own = rng.normal(size=n) + side * np.sqrt(2) * norm.ppf(truth) / np.sqrt(1 - icc)
        scores.append(np.sqrt(icc) * shared + np.sqrt(1 - icc) * own)
        members.append(np.full(n, side))
        groups.append(codes + first)
        first += n
    return np.concatenate(scores), np.concatenate(members), np.concatenate(groups)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(2, 40), st.booleans())
def test_groups_of_one_change_no_digit(seed: int, m: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    scores, others = rng.normal(size=(2, m + n))
    scores = scores.round(1) if ties else scores
    member, alone = np.arange(m + n) < m, rng.permutation(m + n)
    assert measure(scores, member, alone) == measure(scores, member)
    assert compare(scores, others, member, 0, alone) == compare(scores, others, member, 0)
    assert label_shuffle(scores, member, 0, alone) == label_shuffle(scores, member, 0)
    assert null_target(scores, member, alone) == null_target(scores, member)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_neither_names_nor_order_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, member, groups = world(rng, 40)
    order, renamed = rng.permutation(len(scores)), groups.max() - groups
    found, again = measure(scores, member, groups), measure(
        scores[order], member[order], renamed[order]
    )  # fmt: skip
    assert found.auc_ci == pytest.approx(again.auc_ci)
    assert found.effective == pytest.approx(again.effective)


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_are_no_evidence(copies: int) -> None:
    """Whoever counts each candidate five times knows as little as before."""
    rng = np.random.default_rng(1)
    scores, member = rng.normal(size=(2, 400)), np.arange(400) < 200
    scores[0] += 0.5 * member
    once = measure(scores[0], member)
    many, labels, groups = np.tile(scores, copies), np.tile(member, copies), np.tile(
        np.arange(400), copies
    )  # fmt: skip
    found, fooled = measure(many[0], labels, groups), measure(many[0], labels)
    assert found.auc_ci == pytest.approx(once.auc_ci, abs=0.003)
    assert found.effective == pytest.approx((200, 200))
    assert np.ptp(fooled.auc_ci) < 0.8 * np.ptp(found.auc_ci)
    tpr, before = found.tpr_at_fpr[0.01], once.tpr_at_fpr[0.01]
    assert tpr and before and tpr.ci == pytest.approx(before.ci, abs=0.01)
    one, two = compare(*scores, member, 0), compare(*many, labels, 0, groups)
    assert two.auc.p == pytest.approx(one.auc.p, rel=0.2)
    half = labels, ~labels
    by_side = tuple(groups[side] for side in half)
    sides = tuple(many[0][side] for side in half)
    rates, alone = at_threshold(*sides, 0.0, by_side), at_threshold(*sides, 0.0)  # pyright: ignore
    assert np.ptp(rates.tpr_ci) > 1.3 * np.ptp(alone.tpr_ci)
    wide = wasserstein(*sides, 0, by_side).ci  # pyright: ignore[reportArgumentType]
    narrow = wasserstein(*sides, 0).ci
    assert wide and narrow and np.ptp(wide) > 1.2 * np.ptp(narrow)


@pytest.mark.parametrize("truth", [0.5, 0.8])
def test_the_interval_holds_the_truth_and_one_without_groups_does_not(truth: float) -> None:
    told, ignored, runs = 0, 0, 300
    rng = np.random.default_rng(round(10 * truth))
    for _ in range(runs):
        scores, member, groups = world(rng, 200, truth)
        for count, given_groups in (("told", groups), ("ignored", None)):
            low, high = measure(scores, member, given_groups).auc_ci
            held = low <= truth <= high
            told, ignored = told + held * (count == "told"), ignored + held * (count == "ignored")
    assert told / runs > 0.92
    assert ignored / runs < 0.88


@pytest.mark.slow
def test_differences_of_nothing_are_seldom_significant() -> None:
    rng, told, ignored, runs = np.random.default_rng(3), 0, 0, 80
    for _ in range(runs):
        first, member, groups = world(rng, 150)
        second = world(rng, 150)[0]
        second = second[np.argsort(np.argsort(groups))]
        told += compare(first, second, member, 0, groups).auc.p <= 0.05
        ignored += compare(first, second, member, 0).auc.p <= 0.05
    assert told / runs <= 0.12
    assert ignored > told


def test_scores_that_are_all_alike_differ_by_nothing_known() -> None:
    member, groups = np.arange(20) < 10, np.arange(20) // 2
    found = compare(np.zeros(20), np.zeros(20), member, 0, groups)
    assert found.auc.value == 0 and found.auc.p == 1


def test_controls_hold_with_groups_and_break_without() -> None:
    scores, member, groups = world(np.random.default_rng(5), 300, icc=0.9, largest=30)
    assert label_shuffle(scores, member, 0, groups).passed
    halves = nonmembers_against_nonmembers(scores, member, 0, groups)
    assert halves is not None and halves.passed


def test_a_group_may_stand_on_both_sides() -> None:
    """Pairs of a member and its twin differ by nothing but membership: the interval is narrower."""
    rng = np.random.default_rng(0)
    shared, n = rng.normal(size=150), 150
    scores = np.concatenate([shared + 0.3, shared]) + 0.1 * rng.normal(size=2 * n)
    member, twins = np.arange(2 * n) < n, np.tile(np.arange(n), 2)
    assert np.ptp(measure(scores, member, twins).auc_ci) < np.ptp(measure(scores, member).auc_ci)


def test_effective_sizes_lie_between_one_and_all() -> None:
    rng, codes = np.random.default_rng(0), np.repeat(np.arange(50), 4)
    alike = np.repeat(rng.normal(size=50), 4)
    assert intraclass_correlation(alike, codes) == pytest.approx(1)
    assert effective_size(alike, codes) == pytest.approx(50)
    assert effective_size(rng.normal(size=200), codes) > 150
    assert effective_size(rng.normal(size=5), np.zeros(5, dtype=int)) == pytest.approx(1)


def test_one_group_a_side_is_a_sentence() -> None:
    member = np.arange(20) < 10
    with pytest.raises(DataError, match=r"all 10 members are of one group.*expected 2 groups"):
        check_groups(np.where(member, 0, np.arange(20)), member, "scores.csv")
    with pytest.raises(DataError, match=r"Expected a group for each of 20 candidates"):
        measure(np.arange(20.0), member, np.arange(19))
