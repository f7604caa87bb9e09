"""Comparisons of two attacks against known answers, resamples laid out, and simulation."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from miagym.errors import DataError
from miagym.metrics.auc import auc
from miagym.metrics.comparisons.comparison import compare, holm
from miagym.metrics.detection import allowed, tpr_at_fpr
from miagym.metrics.labelled import Labelled, comparisons

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


@st.composite
def paired(draw: st.DrawFn) -> tuple[NDArray, NDArray, NDArray]:
    """Two attacks with ties, sometimes with non-members enough for 1 %."""
    n = draw(st.integers(1, 130))
    member = np.repeat([True, False], [draw(st.integers(1, 40)), n])
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    first, second = rng.integers(-4, 5, (2, len(member))) + member
    return first, second, member


@settings(deadline=None, max_examples=25)
@given(paired())
def test_an_attack_does_not_differ_from_itself(case: tuple[NDArray, ...]) -> None:
    """Nor from itself in another unit; the interval still has a width."""
    first, _, member = case
    for same in (first, np.exp(first / 2)):
        found = compare(first, same, member, seed=0)
        for difference in filter(None, (found.auc, found.tpr)):
            assert difference.value == 0 and difference.p == 1
            assert difference.ci[0] < 0 < difference.ci[1]


@settings(deadline=None, max_examples=25)
@given(paired(), st.randoms(use_true_random=False))
def test_order_and_unit_do_not_matter(case: tuple[NDArray, ...], random) -> None:
    """Candidates may come in any order, and either attack in any unit; swapped, signs turn."""
    first, second, member = case
    order = np.array(random.sample(range(len(member)), len(member)))
    before = compare(first, second, member, seed=3)
    shuffled = compare(first[order], second[order], member[order], seed=3)
    assert shuffled.tpr == before.tpr
    assert shuffled.auc.ci == pytest.approx(before.auc.ci)
    assert compare(first, np.exp(second / 2), member, seed=3) == before
    swapped = compare(second, first, member, seed=3)
    assert swapped.auc.value == -before.auc.value
    assert swapped.auc.p == pytest.approx(before.auc.p)
    assert swapped.auc.ci == pytest.approx((-before.auc.ci[1], -before.auc.ci[0]))


@settings(deadline=None, max_examples=25)
@given(paired())
def test_values_are_differences_and_rows_are_plain(case: tuple[NDArray, ...]) -> None:
    first, second, member = case
    found = compare(first, second, member, seed=0)
    aucs = [auc(scores[member], scores[~member]) for scores in (first, second)]
    assert found.auc.value == pytest.approx(aucs[0] - aucs[1])
    points = [tpr_at_fpr(scores[member], scores[~member], 0.01) for scores in (first, second)]
    assert (found.tpr is None) == (np.sum(~member) < 100)
    row = json.loads(json.dumps(found.as_row()))
    assert row["auc"].keys() == {"difference", "ci", "p"}
    if found.tpr and points[0] and points[1]:
        assert found.tpr.value == pytest.approx(points[0].tpr - points[1].tpr)
        assert row["tpr_at_fpr"]["0.01"]["ci"] == list(found.tpr.ci)
    for difference in filter(None, (found.auc, found.tpr)):
        assert -1 <= difference.ci[0] <= difference.value <= difference.ci[1] <= 1
        assert 0 <= difference.p <= 1


def test_auc_difference_is_delongs() -> None:
    """Covariances of all comparisons laid out, as DeLong wrote them."""
    rng = np.random.default_rng(0)
    member = np.arange(60) < 25
    scores = rng.normal(0, 1, (2, 60)).round(1) + rng.normal(0, 1, 60).round(1) + member
    wins = [np.sign(s[member][:, None] - s[~member][None, :]) / 2 + 0.5 for s in scores]
    of_members = np.cov([win.mean(axis=1) for win in wins])
    of_nonmembers = np.cov([win.mean(axis=0) for win in wins])
    covariance, contrast = of_members / 25 + of_nonmembers / 35, np.array([1, -1])
    error = np.sqrt(contrast @ covariance @ contrast)
    value = wins[0].mean() - wins[1].mean()
    found = compare(scores[0], scores[1], member, seed=0).auc
    assert found.ci == pytest.approx((value - 1.959964 * error, value + 1.959964 * error))
    assert found.p == pytest.approx(2 * norm.sf(abs(value) / error))


def test_tpr_difference_is_the_plain_paired_bootstrap() -> None:
    """Resamples laid out one by one give the same interval, ties included."""
    rng = np.random.default_rng(1)
    member = np.arange(420) < 120
    shared = rng.normal(0, 1, 420)
    first, second = (shared + rng.normal(0, 0.7, (2, 420)) + [[2.5], [1.5]] * member).round(1)
    found, plain = compare(first, second, member, seed=0).tpr, []
    for _ in range(4000):
        m, n = rng.choice(np.flatnonzero(member), 120), rng.choice(np.flatnonzero(~member), 300)
        tprs = [np.mean(s[m] > np.sort(s[n])[::-1][allowed(0.01, 300)]) for s in (first, second)]
        plain.append(tprs[0] - tprs[1])
    assert found is not None
    assert found.ci == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.025)
    assert found == compare(first, second, member, seed=0).tpr
    assert found != compare(first, second, member, seed=1).tpr


def test_a_difference_without_variance_is_not_certain() -> None:
    """Both perfect: none of 100 pairs speaks for either. Right against wrong: Hoeffding."""
    member = np.arange(200) < 100
    both = compare(np.arange(200) + 1e3 * member, member, member, seed=0).auc
    assert (both.value, both.p) == (0, 1)
    assert both.ci == pytest.approx((-(1 - 0.025**0.01), 1 - 0.025**0.01))
    opposite = compare(member, ~member, member, seed=0).auc
    assert opposite.value == 1 and 0.5 < opposite.ci[0] < 1 == opposite.ci[1]
    assert opposite.p < 1e-10
    tpr = compare(member, ~member, member, seed=0).tpr
    assert tpr is not None and (tpr.value, tpr.ci[1]) == (1, 1)
    assert tpr.ci[0] == pytest.approx(1 - 2 * (1 - 0.025**0.01))
    single = compare([1, 0], [0, 1], np.array([True, False]), seed=0).auc
    assert (single.ci, single.p) == ((-1, 1), 1)


@pytest.mark.slow
def test_differences_cover_and_false_ones_are_rare() -> None:
    """Two attacks of the same strength; docs/benchmarks/validity/intervals.md has more."""
    rng, member = np.random.default_rng(0), np.arange(400) < 200
    held, rejected = np.zeros(2), np.zeros(2)
    for seed in range(200):
        first, second = rng.normal(0, 1, 400) + rng.normal(0, 1, (2, 400)) + member
        found = compare(first, second, member, seed)
        assert found.tpr is not None
        pair = (found.auc, found.tpr)
        held += [difference.ci[0] <= 0 <= difference.ci[1] for difference in pair]
        rejected += [difference.p <= 0.05 for difference in pair]
    assert np.all(held >= 0.91 * 200) and np.all(rejected <= 0.09 * 200)


def test_a_hundred_thousand_candidates_are_quick() -> None:
    rng, member = np.random.default_rng(0), np.arange(100_000) < 50_000
    first, second = rng.normal(0, 1, (2, 100_000)) + member
    start = time.process_time()
    found = compare(first, second + 0.1 * member, member, seed=0)
    assert time.process_time() - start < 6
    assert found.tpr is not None and found.tpr.p < 0.05 and found.auc.p < 1e-6


def test_holm_knows_the_answer_of_the_book() -> None:
    """As R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([0.01, 0.001], among=45) == pytest.approx([0.44, 0.045])


@given(P_VALUES, st.randoms(use_true_random=False))
def test_holm_keeps_order_and_only_raises(p_values: list[float], random) -> None:
    """Between the value and Bonferroni's; the smallest is Bonferroni's; order does not matter."""
    adjusted = holm(p_values)
    for p, after in zip(p_values, adjusted, strict=True):
        assert p <= after <= min(1, p * len(p_values)) + 1e-12
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [after for _, after in pairs] == sorted(adjusted)
    if p_values:
        assert pairs[0][1] == pytest.approx(min(1, pairs[0][0] * len(p_values)))
    shuffled = random.sample(pairs, len(pairs))
    assert holm([p for p, _ in shuffled]) == [after for _, after in shuffled]


@pytest.mark.parametrize("bad", [[-0.1], [1.1, 0.5], [np.nan]])
def test_holm_refuses_what_is_no_p_value(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="Expected p-values between 0 and 1"):
        holm(bad)


def test_compare_refuses_unusable_input() -> None:
    member = np.array([True, False])
    for first, second, labels in (
        ([1, 2], [1, 2, 3], member),
        ([1, 2], [1, 2], np.array([1, 0])),
        ([1, 2], [1, 2], member[:1]),
    ):
        with pytest.raises(DataError, match=r"Expected two arrays of scores \(n,\)"):
            compare(first, second, labels, seed=0)
    with pytest.raises(DataError, match="both needed"):
        compare([1, 2], [1, 2], np.array([True, True]), seed=0)
    with pytest.raises(DataError, match="NaN or infinite"):
        compare([1, 2], [np.nan, 2], member, seed=0)


@pytest.mark.slow
def test_the_best_of_many_equals_beats_none_of_them() -> None:
    """The rival is picked as the luckiest; a correction for k - 1 comparisons would forget that."""
    rng, member, k, runs = np.random.default_rng(0), np.repeat([True, False], 100), 8, 60
    false, forgetful = 0, 0
    for seed in range(runs):
        scores = {f"a{i}": Labelled(rng.normal(size=200) + member, member) for i in range(k)}
        found = comparisons(scores, list(scores), seed)
        assert {row["compared"] for row in found} == {k * (k - 1) // 2}
        false += any(row["p_holm"] < 0.05 for row in found)
        forgetful += any(p < 0.05 for p in holm([row["auc"]["p"] for row in found]))
    assert false <= 0.05 * runs + 3 * np.sqrt(0.05 * runs) and false < forgetful
