"""The distance of score distributions against scipy, known answers and simulation."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from miagym.errors import DataError
from miagym.metrics.distance import MIN_SIDE, wasserstein

SIDE = st.lists(st.integers(-5, 5), min_size=1, max_size=30).map(np.array)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(SIDE, SIDE, st.randoms(use_true_random=False))
def test_distance_is_that_of_scipy(members: NDArray, nonmembers: NDArray, random) -> None:
    """In units of the score, wherever its 0 is, in any order; a mirror changes the draws only."""
    found = wasserstein(members, nonmembers, seed=0)
    assert found.value == pytest.approx(wasserstein_distance(members, nonmembers))
    assert (found.ci is None) == (min(len(members), len(nonmembers)) < MIN_SIDE)
    if found.ci is not None:
        assert 0 <= found.ci[0] <= found.value <= found.ci[1]
        assert found.value > found.chance or found.ci[0] == 0
    assert wasserstein(random.sample(members.tolist(), len(members)), nonmembers, 0) == found
    scaled = wasserstein(3.0 * members + 7, 3.0 * nonmembers + 7, seed=0)
    assert scaled.value == pytest.approx(3 * found.value)
    assert scaled.chance == pytest.approx(3 * found.chance)
    assert wasserstein(nonmembers, members, seed=0).value == pytest.approx(found.value)
    assert json.loads(json.dumps(found.as_row())).keys() == {"value", "ci", "chance"}


@pytest.mark.slow
def test_one_distribution_is_within_chance() -> None:
    """Two samples of it are apart, but in about 95 of 100 cases not more than shuffled labels."""
    rng, within = np.random.default_rng(0), 0
    for seed in range(100):
        found = wasserstein(rng.normal(0, 1, 100), rng.normal(0, 1, 100), seed)
        assert found.value > 0
        within += found.value <= found.chance
    assert 88 <= within <= 99


def test_a_shift_is_the_distance() -> None:
    """The interval holds it; the seed decides the interval and not the value."""
    rng, held = np.random.default_rng(0), 0
    for seed in range(60):
        members, nonmembers = rng.normal(0.7, 1, 300), rng.normal(0, 1, 300)
        found = wasserstein(members, nonmembers, seed)
        assert found.ci is not None
        held += found.ci[0] <= 0.7 <= found.ci[1]
        assert found.value > found.chance
    assert held >= 53
    assert found == wasserstein(members, nonmembers, 59)
    other = wasserstein(members, nonmembers, 60)
    assert other.value == found.value and other.ci != found.ci


def test_a_hundred_thousand_candidates_are_quick() -> None:
    rng, start = np.random.default_rng(0), time.process_time()
    found = wasserstein(rng.normal(1, 1, 50_000), rng.normal(0, 1, 50_000), seed=0)
    assert time.process_time() - start < 8
    assert found.ci is not None and found.ci[1] - found.ci[0] < 0.05


@pytest.mark.parametrize("bad", [[], [1, np.nan], [np.inf], [[1.0]]])
def test_unusable_scores_are_refused(bad: list) -> None:
    for sides in ((bad, [1.0]), ([1.0], bad)):
        with pytest.raises(DataError, match="member scores"):
            wasserstein(*sides, seed=0)


@pytest.mark.filterwarnings("error")
def test_large_scores_are_no_overflow() -> None:
    rng = np.random.default_rng(0)
    members, nonmembers = rng.normal(1, 1, 400), rng.normal(0, 1, 400)
    one, huge = (wasserstein(members * k, nonmembers * k, 0) for k in (1.0, 1e306))
    assert huge.value == pytest.approx(one.value * 1e306)
    assert huge.chance == pytest.approx(one.chance * 1e306)
    assert one.ci is not None and huge.ci == pytest.approx([end * 1e306 for end in one.ci])


def test_scores_too_far_apart_are_refused() -> None:
    with pytest.raises(DataError, match="divide all scores by a constant"):
        wasserstein([1e308], [-1e308], seed=0)
