"""Intervals over several runs hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from miagym.errors import DataError
from miagym.metrics.auc import auc, auc_interval
from miagym.metrics.resampling.over_runs import over_runs
from tests.tiers import mostly_slow

MEAN, BETWEEN, PICTURE, NOISE = 1.0, 0.3, 1.0, 0.5
"""Members score higher by N(MEAN, BETWEEN), drawn for each run; a picture, and the noise of a run,
have the other two deviations."""

TRIALS = 400


def coverage(*, shared: bool, runs: int, between: float = BETWEEN, n: int = 80) -> float:
    """How often the interval holds the mean AUC of all runs there could be."""
    truth = float(norm.cdf(MEAN / np.sqrt(2 * (PICTURE**2 + NOISE**2) + between**2)))
    rng, held = np.random.default_rng(0), 0
    for _ in range(TRIALS):
        pictures = rng.normal(0, PICTURE, (2, 1 if shared else runs, n))
        scores = pictures + rng.normal(0, NOISE, (2, runs, n))
        scores[0] += rng.normal(MEAN, between, runs)[:, None]
        own = scores.transpose(1, 0, 2)
        pooled = over_runs([auc(*s) for s in own], [auc_interval(*s) for s in own], shared=shared)
        held += pooled.ci[0] <= truth <= pooled.ci[1]
    return held / TRIALS


@pytest.mark.parametrize("runs", mostly_slow([2, 4, 10], quick=[2]))
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("between", [0.0, BETWEEN])
def test_the_interval_holds_the_truth(shared: bool, runs: int, between: float) -> None:
    assert coverage(shared=shared, runs=runs, between=between) >= 0.93


def test_runs_that_agree_are_no_surer_of_the_candidates_that_they_share() -> None:
    one = (0.7, (0.6, 0.8))
    values, ends = [one[0]] * 5, [one[1]] * 5
    assert over_runs(values, ends, shared=True).ci == pytest.approx((0.6, 0.8))
    low, high = over_runs(values, ends, shared=False).ci
    assert (low, high) == pytest.approx((0.7 - 0.1 / np.sqrt(5), 0.7 + 0.1 / np.sqrt(5)))


def test_two_runs_that_differ_say_little_of_others() -> None:
    found = over_runs([0.6, 0.7], [(0.59, 0.61), (0.69, 0.71)], shared=True)
    assert found.spread == pytest.approx(0.1 / np.sqrt(2))
    assert found.ci[0] < 0.1 and found.ci[1] == 1.0


def test_one_run_is_refused() -> None:
    with pytest.raises(DataError, match="several runs"):
        over_runs([0.6], [(0.5, 0.7)], shared=False)
