"""Curve of a player: what it earns at several budgets of one task, and the area under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.hosting.board import rounded
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.records.keys import BLIND
from miagym.metrics.auc import Interval
from miagym.metrics.brier import brier_rewards

Scores = NDArray[np.float64]
GAINS = (-4.0, 4.0)
"""Range of a difference of two Brier rewards."""


@dataclass(frozen=True)
class BudgetCurve:
    """Brier rewards of a player along budgets; 95 % intervals, as of the labels.

    The area is the mean reward over the budgets between the first and the last, evenly by their
    logarithm: a doubling counts alike wherever it stands.
    """

    player: str
    is_blind: bool
    budgets: tuple[int, ...]
    """Of a hand, in the task's coin."""
    rewards: tuple[float, ...]
    rewards_ci: tuple[Interval, ...]
    area: float
    area_ci: Interval
    gain: float
    """The area less that of the first player, paired by candidate."""
    gain_ci: Interval

    def as_row(self) -> dict[str, Any]:
        """Plain numbers and lists; with as many digits as intervals bear."""
        return {name: rounded(value) for name, value in asdict(self).items()}


def curves(
    budgets: Sequence[int], scores: Sequence[Mapping[str, Scores]], labels: Labels
) -> list[BudgetCurve]:
    """Curves of all players, the first one's first, to which the others are compared.

    Args:
        budgets: of a hand, ascending; at least two.
        scores: at each budget, probabilities of membership (n,) by player.
        labels: of the n candidates, the same at each budget.
    """
    share = shares(budgets)
    rewards = {
        player: np.stack([brier_rewards(each[player], labels.member) for each in scores], axis=1)
        for player in scores[0]
    }
    first = next(iter(rewards.values())) @ share
    found = []
    for player, each in rewards.items():
        area = each @ share
        gain = (area - first)[:, None]
        ends = labels.reward_intervals(np.column_stack([each, area]))
        found.append(
            BudgetCurve(
                player, player == BLIND, tuple(budgets), tuple(each.mean(0).tolist()),
                tuple(ends[:-1]), float(area.mean()), ends[-1], float(gain.mean()),
                labels.reward_intervals(gain, GAINS)[0],
            )
        )  # fmt: skip
    return found


def shares(budgets: Sequence[int]) -> Scores:
    """What each budget counts in an area, by the trapezoidal rule over logarithms; 1 in all."""
    at = np.log(budgets)
    widths = np.diff(at) / (at[-1] - at[0])
    return (np.append(widths, 0) + np.append(0, widths)) / 2
