"""Grading of verdicts on hands, afterwards, by whoever has the record of the family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from miagym.envs.audit.family import Family
from miagym.envs.grading.played import Played
from miagym.envs.grading.verdicts import Verdicts
from miagym.errors import DataError
from miagym.metrics.auc import Interval
from miagym.metrics.brier import brier_rewards
from miagym.metrics.groups.group_bootstrap import mean_intervals
from miagym.metrics.measure import Metrics, measure


@dataclass(frozen=True)
class AuditGrade:
    """Grade of verdicts on hands; a hand that was judged several times counts with the first.

    Intervals are of 95 %, over models: all hands about one model are one group. They say how the
    agent fares on other models of the family; the pictures of the split stay the same.
    """

    n_hands: int
    n_models: int
    metrics: Metrics
    brier_reward: float
    """Mean of 1 - 4 (p - y)²: 0 for an agent that knows nothing and says so."""
    brier_reward_ci: Interval
    spent: float
    """UNet rows a hand, on average."""
    net_reward: float
    """`brier_reward` less the price of what was spent."""
    played: Played


def grade_audit(verdicts: Verdicts) -> AuditGrade:
    """Looks the labels of hands up in the family's record, and grades the verdicts.

    Raises:
        DataError: if there are none, they are about something else, a number is none, or all are on
            one side.
        SettingsError: if the family is not there any more.
    """
    if not len(verdicts):
        raise DataError("There are no verdicts to grade; end a hand on `val` or `test` first.")
    numbers = np.concatenate([verdicts.probability, 1 - verdicts.probability, verdicts.spent])
    if not (numbers >= 0).all():
        raise DataError("Expected probabilities from 0 to 1 and spending of 0 or more, or no NaN.")
    family = Family.named(verdicts.data)
    keys, first = np.unique(np.array(verdicts.candidate), return_index=True)
    hands = [_hand(str(key), family, verdicts.split) for key in keys]
    model = np.array([hand[0] for hand in hands])
    member = np.array([hand[1] for hand in hands])
    if member.all() or not member.any():
        raise DataError(f"All {len(keys)} hands judged so far are on one side; play more of them.")
    said, game = verdicts.probability[first], verdicts.played
    reward, spent = brier_rewards(said, member), float(verdicts.spent.sum() / len(keys))
    return AuditGrade(
        n_hands=len(keys),
        n_models=len(np.unique(model)),
        metrics=measure(said, member, model),
        brier_reward=float(reward.mean()),
        brier_reward_ci=mean_intervals(reward[:, None], model)[0],
        spent=spent,
        net_reward=float(reward.mean()) - game.price * spent / game.budget,
        played=game,
    )


def _hand(key: str, family: Family, split: str) -> tuple[int, bool]:
    """Model and label of a hand, by its key."""
    try:
        model, pictures = key.split(":")
        at, places = int(model), [int(one) for one in pictures.split(",")]
    except ValueError:
        raise DataError(
            f"{key!r} is no hand; grade verdicts on single candidates with grade."
        ) from None
    there = at in family.models(split) and set(places) <= set(family.pictures(split).tolist())
    sides = set(family.deal.inside[at, places].tolist()) if there else set()
    if len(sides) != 1:
        raise DataError(f"The hand {key} is none that {family.name}, {split}, would deal.")
    return at, sides.pop()
