"""Likelihood ratios that are known; what a rule finds; how many pictures a set needs."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from scipy.stats import binom, norm
from sklearn.linear_model import LogisticRegression

from miagym.checking.answer import SetAnswer, Verdict
from miagym.checking.words import set_sentences
from miagym.metrics.conformal import rule_power
from miagym.metrics.likelihood_ratio import LikelihoodRatio
from miagym.metrics.resampling.permutation import (
    MAX_PERMUTATIONS,
    MAX_PICTURES,
    PicturesNeeded,
    pictures_needed,
    set_test,
    shared_margin,
    smallest_set_p,
)


def test_normal_scores_have_a_log_linear_ratio() -> None:
    """N(1, 1) against N(0, 1): the ratio is exp(s - 1/2); intervals cover it at most scores."""
    covered = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        ratio = LikelihoodRatio.of(rng.normal(1, 1, 100), rng.normal(0, 1, 100), seed)
        found, truth = ratio(1.5), math.exp(1.0)
        assert found.ci[0] <= found.value <= found.ci[1]
        covered += found.ci[0] <= truth <= found.ci[1]
    assert covered >= 16  # of 19 expected


def test_the_line_is_that_of_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    members, nonmembers = rng.normal(7, 2, 800), rng.normal(5, 2, 400)
    model = LogisticRegression(C=1e9, class_weight="balanced")
    model.fit(np.concatenate([members, nonmembers])[:, None], np.arange(1200) < 800)
    intercept, slope = LikelihoodRatio.of(members, nonmembers, 0).lines[0]
    assert slope == pytest.approx(model.coef_[0, 0], rel=0.02)
    assert intercept == pytest.approx(model.intercept_[0], rel=0.02)


def test_no_ratio_beyond_what_the_sample_shows() -> None:
    members, nonmembers = np.linspace(10, 11, 50), np.linspace(0, 1, 80)  # apart altogether
    ratio = LikelihoodRatio.of(members, nonmembers, 0)
    assert ratio(1e9).value == 81 and 20 < ratio(10.5).value < 81
    assert ratio(-1e9).value == ratio(0.5).value == 1 / 51
    same = LikelihoodRatio.of(nonmembers, nonmembers, 0)(0.5)
    assert same.value == pytest.approx(1, abs=1e-6) and same.ci[0] < 1 < same.ci[1]


def test_a_rule_and_how_often_it_is_right() -> None:
    members, nonmembers = np.array([2.0] * 40 + [0.0] * 60), np.linspace(0, 1, 100)
    power = rule_power(members, nonmembers, 0.01)
    assert power.tpr == 0.4 and 0.30 < power.ci[0] < 0.4 < power.ci[1] < 0.51
    assert power.fpr == pytest.approx(1 / 101)
    assert power.times == pytest.approx(0.4 * 101)
    assert power.times_ci is not None and power.times_ci[0] < power.times < power.times_ci[1]
    unresolved = rule_power(members, nonmembers[:50], 0.01)
    assert unresolved.tpr == unresolved.fpr == 0 and unresolved.times is None


@pytest.mark.slow
def test_so_many_pictures_are_found_by_the_real_test() -> None:
    rng, alpha = np.random.default_rng(0), 0.01
    members, nonmembers = rng.normal(1, 1, 300), rng.normal(0, 1, 300)
    needed = pictures_needed(members, nonmembers, alpha, seed=0)
    assert needed.pictures is not None and needed.ci[0] is not None and needed.ci[1] is not None
    assert needed.ci[0] <= needed.pictures <= needed.ci[1]
    assert 10 <= needed.pictures <= 30  # 16 by the normal formula, were there endless controls
    margin = shared_margin(nonmembers)
    p = [
        set_test(rng.choice(members, needed.pictures), nonmembers, seed, 499, margin).p_value
        for seed in range(200)
    ]
    assert 0.88 <= np.mean(np.array(p) <= alpha) <= 0.99


@pytest.mark.parametrize("pictures", [10, 100])
def test_an_unlucky_calibration_keeps_its_promise_to_all_who_share_it(pictures: int) -> None:
    """Its mean is 1.5 standard errors too low: sets of many pictures would notice."""
    rng, alpha, n, sets = np.random.default_rng(0), 0.05, 100, 150
    controls = norm.ppf((np.arange(n) + 0.5) / n) - 1.5 / np.sqrt(n)
    alarms = {0.0: 0, shared_margin(controls): 0}
    for seed in range(sets):
        suspects = rng.normal(size=pictures)
        for margin in alarms:
            alarms[margin] += set_test(suspects, controls, seed, 199, margin).p_value <= alpha
    fair, shared = alarms.values()
    assert shared <= binom.ppf(0.999, sets, alpha)
    assert fair > shared
    if pictures == 100:
        assert fair > binom.ppf(0.999, sets, alpha)


APART = np.random.default_rng(0).normal(9, 1, 60), np.random.default_rng(1).normal(0, 1, 60)
"""Members and non-members: 6 of the former would do, if permutations were endless."""


def test_no_set_is_promised_that_the_permutations_cannot_resolve() -> None:
    assert smallest_set_p(8, 2) == 1 / 45 and smallest_set_p(99, 99) == 1 / (1 + MAX_PERMUTATIONS)
    assert inspect.signature(set_test).parameters["resamples"].default == MAX_PERMUTATIONS == 9999
    assert pictures_needed(*APART, alpha=1e-5, seed=0) == PicturesNeeded(None, (None, None))
    needed = pictures_needed(APART[0], APART[1][:2], alpha=0.01, seed=0)
    assert needed.pictures is not None and smallest_set_p(needed.pictures, 2) <= 0.01
    assert needed.ci[0] is not None and smallest_set_p(needed.ci[0], 2) <= 0.01


def about(alpha: float, pictures: int, controls: int) -> str:
    """What is said of a set of members, all of whom are above all controls."""
    members, nonmembers = APART[0][:pictures], APART[1][:controls]
    test = set_test(members, nonmembers)
    smallest = smallest_set_p(pictures, controls)
    verdict = Verdict.MEMBER_LIKE if test.p_value <= alpha else Verdict.CANNOT_TELL
    needed = pictures_needed(members, nonmembers, alpha, seed=0)
    sizes = (pictures, pictures, 0, 0)
    return " ".join(set_sentences(SetAnswer(verdict, alpha, *sizes, test, smallest, needed, True)))


def test_what_permutations_cannot_resolve_is_said() -> None:
    few = about(0.01, pictures=8, controls=2)
    assert "p = 0.022, the smallest that this test gives" in few
    assert "1 % cannot be resolved with 2 non-members and 8 pictures" in few
    fine = about(1e-5, pictures=20, controls=40)
    assert "0.001 % cannot be resolved with 9,999 permutations" in fine
    assert "No number of pictures would be found at 0.001 %" in fine and "power" not in fine
    assert "cannot be resolved" not in about(0.01, pictures=8, controls=40)


def test_what_cannot_be_found_needs_more_than_there_are() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=200)
    needed = pictures_needed(scores[:100] - 0.1, scores[100:], 0.01, seed=0)
    assert needed.pictures is None and needed.ci[1] is None and MAX_PICTURES == 1000
