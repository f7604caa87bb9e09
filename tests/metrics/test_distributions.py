"""What stands in for scipy.stats, which takes a second to import, gives its numbers to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaincinv, ndtr, ndtri, stdtr, stdtrit

from miagym.metrics.comparisons.multiplicity import ALPHA
from miagym.metrics.distributions import average_ranks, binomial_tail, fewest_nonmembers
from miagym.metrics.power import smallest_tpr


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_binomial_tails_are_those_of_scipy(rng: np.random.Generator) -> None:
    for _ in range(300):
        n = int(rng.integers(1, 3000))
        k, rates = int(rng.integers(-2, n + 2)), np.append(rng.uniform(size=20), [0.0, 0.5, 1.0])
        np.testing.assert_array_equal(binomial_tail(k, n, rates), stats.binom.sf(k, n, rates))
    assert binomial_tail(-1, 0, 0.5) == 1 and binomial_tail(0, 0, 0.5) == 0


def test_ranks_are_those_of_scipy(rng: np.random.Generator) -> None:
    for values in (rng.normal(size=500), rng.integers(0, 9, 500), np.zeros(4), np.empty(0)):
        np.testing.assert_array_equal(average_ranks(values), stats.rankdata(values))


def test_quantiles_and_tails_of_scipy_special_are_those_of_scipy_stats(
    rng: np.random.Generator,
) -> None:
    """The functions that metrics call in the place of `norm`, `t` and `beta`."""
    q, x = rng.uniform(size=2000), rng.normal(size=2000) * 4
    df, a, b = rng.uniform(0.5, 300, 2000), *rng.uniform(0.5, 3000, (2, 2000))
    pairs = [
        (ndtri(q), stats.norm.ppf(q)),
        (-ndtri(q), stats.norm.isf(q)),
        (ndtr(-x), stats.norm.sf(x)),
        (stdtrit(df, q), stats.t.ppf(q, df)),
        (-stdtrit(df, q), stats.t.isf(q, df)),
        (stdtr(df, -x), stats.t.sf(x, df)),
        (betaincinv(a, b, q), stats.beta.ppf(q, a, b)),
    ]
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


def test_few_nonmembers_among_the_highest_are_a_hypergeometric_count(
    rng: np.random.Generator,
) -> None:
    for _ in range(300):
        m, n = (int(each) for each in rng.integers(1, 500, 2))
        f, highest = int(rng.integers(0, n + 1)), int(rng.integers(0, m + n + 1))
        expected = stats.hypergeom.cdf(f, m + n, n, highest)
        assert fewest_nonmembers(f, m, n, highest) == pytest.approx(expected, rel=1e-12, abs=0)
    assert fewest_nonmembers(0, 1, 39, 1) == 1 / 40  # exact, where a level is met exactly


def test_the_smallest_tpr_is_the_first_whose_count_is_a_surprise() -> None:
    for m, n, alpha, tried in ((300, 500, 0.01, 7), (40, 5000, 0.001, 1), (900, 200, 0.1, 30)):
        f = int(alpha * n)
        counts = stats.hypergeom.cdf(f, m + n, n, np.arange(m + 1) + f)
        fewest = int(np.argmax(counts * tried <= ALPHA))
        found = smallest_tpr(m, n, alpha, tried)
        assert found is not None
        assert stats.binom.sf(fewest - 1, m, found) >= 0.8
        assert stats.binom.sf(fewest - 1, m, found - 1e-4) < 0.8
