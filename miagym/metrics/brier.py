"""Brier rewards of probabilities, and their accuracy at a threshold of one half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def brier_rewards(probability: NDArray[np.float64], member: NDArray) -> NDArray[np.float64]:
    """Brier reward 1 - 4 (p - y)² of each candidate (n,): from 1 if sure and right to -3 if wrong.

    One half earns 0. A proper score (Brier 1950): on average nothing pays more than to say what one
    believes.
    """
    return 1 - 4 * (probability - member) ** 2


def brier_reward(probability: NDArray[np.float64], member: NDArray[np.integer]) -> float:
    """Mean Brier reward over candidates."""
    return float(np.mean(brier_rewards(probability, member)))


def on_the_right_side(
    probability: NDArray[np.float64], member: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Accuracy of each verdict (n,): 1 on the right side of one half, 0.5 for exactly one half."""
    return np.where(probability == 0.5, 0.5, (probability > 0.5) == member)
