"""Shares, lists and e-values of a set: exact by hand, and as good as they say in simulations."""

from __future__ import annotations

from itertools import permutations
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from miagym.errors import DataError
from miagym.metrics.conformal import p_values
from miagym.metrics.sets.anytime import e_value
from miagym.metrics.sets.discoveries import discoveries
from miagym.metrics.sets.share import share_at_least, share_of_set


def mixed(rng: np.random.Generator, members: int, n: int, apart: float) -> np.ndarray:
    return np.concatenate([rng.normal(apart, 1, members), rng.normal(0, 1, n - members)])


def test_a_lower_bound_by_hand() -> None:
    """8 controls: the threshold is the largest one, and F is Beta(1, 8)."""
    found = share_at_least([2.0, 3.0, -2.0], np.arange(-8.0, 0.0))
    assert (found.pictures, found.above, found.fpr, found.tpr) == (3, 2, 1 / 9, None)
    both = comb(3, 2) * (2 / 90 - 6 / 990) + 6 / 990  # E[F²] = 2/90, E[F³] = 6/990
    assert both > 0.05 and found.at_least == 0
    found = share_at_least([2.0, 3.0, 4.0], np.arange(-8.0, 0.0))
    assert 2 / 90 <= 0.05 < 1 / 9 and found.at_least == 2 and found.is_bound
    assert found.ci == (2 / 3, 1.0) and found.value == 1.0


def test_the_bound_holds_and_members_that_are_hard_to_find_only_lower_it() -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(500):
        members = int(rng.integers(0, 21))
        scores = mixed(rng, members, 20, rng.choice([0.5, 2.0, 6.0]))
        held += share_at_least(scores, rng.normal(0, 1, 20)).at_least <= members
    assert held / 500 >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("apart", [1.5, 3.0])
def test_the_interval_of_the_share_covers_500_simulated_sets(apart: float) -> None:
    rng, held = np.random.default_rng(2), 0
    for draw in range(500):
        members = int(rng.integers(0, 25))
        known = rng.normal(apart, 1, 80), rng.normal(0, 1, 80)
        found = share_of_set(mixed(rng, members, 24, apart), *known, seed=draw)
        held += found.ci[0] - 1e-9 <= members / 24 <= found.ci[1] + 1e-9
    assert 0.93 <= held / 500 <= 0.97, held


def test_a_rule_that_finds_nothing_says_nothing_of_the_share() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 200))
    found = share_of_set(scores[0], np.full(50, -9.0), scores[1])
    assert found.value is None and found.ci[0] == 0.0
    assert share_of_set([9.0, 9.0], scores[1] + 20, scores[2]).ci[1] == 1.0


def test_a_list_by_hand_and_what_it_lacks() -> None:
    found = discoveries(np.array([0.01, 0.04, 0.5, 0.02]), 99, 0.06)
    assert found.listed == (0, 1, 3)
    assert found.q_values == pytest.approx((0.04, 0.16 / 3, 0.5, 0.04))
    assert discoveries(np.full(4, 0.1), 9, 0.05).missing == 79 - 9
    assert discoveries(np.array([]), 9, 0.1).listed == ()
    with pytest.raises(DataError, match="between 0 and 1"):
        discoveries(np.ones(2), 9, 1.0)


def test_a_list_keeps_its_rate_though_all_share_the_nonmembers() -> None:
    rng, shares = np.random.default_rng(0), []
    for _ in range(600):
        scores = mixed(rng, 20, 100, 3.0)
        listed = np.array(discoveries(p_values(scores, rng.normal(0, 1, 60)), 60, 0.2).listed)
        shares.append(float((listed >= 20).mean()) if len(listed) else 0.0)
    assert np.mean(shares) <= 0.16 + 3 * np.std(shares) / 600**0.5  # 0.2 of 80 % that are not
    assert np.mean(shares) > 0.08


@pytest.mark.slow
def test_an_e_value_averages_one_over_all_orders() -> None:
    """Exact: over the 7! orders of 4 controls and 3 suspects, its mean is 1."""
    e = [10 ** e_value(order[:3], order[3:]).log10 for order in permutations(range(7))]
    assert np.mean(e) == pytest.approx(1)


@pytest.mark.slow
def test_whoever_looks_after_every_picture_is_not_fooled() -> None:
    rng, ever = np.random.default_rng(0), 0
    for _ in range(300):
        controls, suspects = rng.normal(size=12), rng.normal(size=20)
        ever += any(e_value(suspects[:n], controls).p_value <= 0.05 for n in range(1, 21))
    assert binomtest(ever, 300, 0.05, alternative="greater").pvalue > 0.01


def test_an_e_value_ignores_order_and_grows_with_evidence() -> None:
    rng = np.random.default_rng(0)
    controls, members = rng.normal(size=12), rng.normal(4, 1, 12)
    found = e_value(members, controls)
    assert found == e_value(members[::-1], controls) and found.p_value < 0.001
    assert e_value(members[:6], controls).log10 < found.log10
    assert e_value(controls, controls, seed=1).log10 < 1  # ties in random order
    assert e_value(np.full(5000, 9.0), controls).p_value == pytest.approx(0, abs=1e-9)
