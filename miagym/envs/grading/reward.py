"""Rewards of a step on `train`: what was spent, what was refused, and Brier's score at the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.brier import brier_reward

REFUSAL_COST = 0.01
"""What a question that the budget does not cover takes off the return."""


def step_rewards(
    spent: NDArray[np.floating],
    refused: NDArray[np.integer],
    probability: NDArray[np.float64],
    ended: Sequence[NDArray[np.int8] | None],
) -> NDArray[np.float64]:
    """Rewards (k,) of a step of k episodes.

    Args:
        spent: prices of what the step asked, already weighed (k,).
        refused: how many of its questions the budget did not cover (k,).
        probability: the verdicts (k, n).
        ended: of each episode that the step ends, the labels (n,); else None.
    """
    reward = -spent - REFUSAL_COST * refused
    for i, member in enumerate(ended):
        if member is not None:
            reward[i] += brier_reward(probability[i], member)
    return reward
