"""Intervals over models and pictures: as recomputed plainly, and as often right as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import t

from miagym.metrics.auc import auc
from miagym.metrics.brier import brier_rewards
from miagym.metrics.measure import measure
from miagym.metrics.resampling.crossed import (
    crossed_metrics,
    crossed_reward_interval,
    grouped_metrics,
    reward_interval,
)

MODELS, PICTURES = 8, 20
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def pairs(
    rng: np.random.Generator,
    k: int = MODELS,
    n: int = PICTURES,
    luck: float = 0.5,
    share: float = 1,
) -> Pairs:
    """Probabilities, labels, models and pictures; both kinds have luck of their own."""
    inside = rng.permuted(np.tile(np.arange(n) % 2 == 0, (k, 1)), axis=1)
    gain = 1 + rng.normal(size=(k, 1)) * luck + rng.normal(size=n) * 0.5
    score = rng.normal(size=n) * 0.5 + inside * gain + rng.normal(size=(k, n))
    seen = rng.random((k, n)) < share
    model, picture = np.nonzero(seen)
    return expit(score - 0.5)[seen], inside[seen], model, picture


def test_the_interval_over_groups_is_a_jackknife() -> None:
    said, member, model, _ = pairs(np.random.default_rng(0), share=0.7)
    said = said.round(1)  # with ties
    rest = [model != one for one in range(MODELS)]
    found = grouped_metrics(said, member, model)
    without = logit([auc(said[one & member], said[one & ~member]) for one in rest])
    arm = t.ppf(0.975, 7) * np.sqrt(7 / 8 * ((without - without.mean()) ** 2).sum())
    expected = expit(logit(found.auc) + np.array([-arm, arm]))
    np.testing.assert_allclose(found.auc_ci, expected)
    reward = brier_rewards(said, member)
    without = np.array([reward[one].mean() for one in rest])
    arm = t.ppf(0.975, 7) * np.sqrt(7 / 8 * ((without - without.mean()) ** 2).sum())
    ends = reward.mean() + np.array([-arm, arm])
    np.testing.assert_allclose(reward_interval(reward, model), ends)


def test_arms_of_both_kinds_of_luck_add_as_squares() -> None:
    said, member, model, picture = pairs(np.random.default_rng(1))
    found = crossed_metrics(said, member, model, picture)
    each = np.array([grouped_metrics(said, member, one).auc_ci for one in (model, picture)])
    arms = np.hypot(*(each - found.auc))
    np.testing.assert_allclose(np.abs(np.array(found.auc_ci) - found.auc), arms)
    one, low, high = found.tpr_at_fpr[0.01], 0.0, 1.0
    assert one is None or low <= one.ci[0] <= one.point.tpr <= one.ci[1] <= high


def test_where_nothing_varies_the_wider_interval_stays() -> None:
    member = np.tile([True, False], 16)
    model, picture = np.repeat(np.arange(8), 4), np.tile(np.arange(4), 8)
    found = grouped_metrics(member.astype(float), member, model)
    assert found.auc == 1 and found.auc_ci == measure(member.astype(float), member, model).auc_ci
    assert found.auc_ci[0] < 0.7
    assert reward_interval(np.zeros(32), model) == (0, 0)
    assert reward_interval(np.arange(3.0) / 3, np.zeros(3, int)) == (-3, 1)
    assert crossed_reward_interval(np.zeros(32), model, picture) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("luck", "share"), [(0.0, 1.0), (0.7, 1.0), (0.5, 0.6)])
def test_of_other_models_and_pictures_95_in_100_are_covered(luck: float, share: float) -> None:
    rng, drawn = np.random.default_rng(3), 200
    many = [pairs(rng, 300, 300, luck) for _ in range(6)]
    area = np.mean([auc(said[member], said[~member]) for said, member, *_ in many])
    value = np.mean([brier_rewards(said, member).mean() for said, member, *_ in many])
    right = np.zeros(2)
    for _ in range(drawn):
        said, member, model, picture = pairs(rng, luck=luck, share=share)
        reward = brier_rewards(said, member)
        ends = (
            crossed_metrics(said, member, model, picture).auc_ci,
            crossed_reward_interval(reward, model, picture),
        )
        right += [low <= one <= high for (low, high), one in zip(ends, (area, value), strict=True)]
    assert (right / drawn > 0.93).all(), right / drawn
