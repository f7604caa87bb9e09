"""Rewards of probabilities: a proper score, and the side of one half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def brier_rewards(probability: NDArray[np.float64], member: NDArray) -> NDArray[np.float64]:
    """1 - 4 (p - y)² of each candidate (n,): 1 right and sure, 0 no idea, -3 wrong and sure.

    A proper score (Brier 1950): on average nothing pays more than to say what one believes.
    """
    return 1 - 4 * (probability - member) ** 2


def brier_reward(probability: NDArray[np.float64], member: NDArray[np.integer]) -> float:
    """Mean over candidates of their rewards."""
    return float(np.mean(brier_rewards(probability, member)))


def on_the_right_side(
    probability: NDArray[np.float64], member: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """1 for each candidate (n,) on the right side of one half, and half for exactly one half."""
    return np.where(probability == 0.5, 0.5, (probability > 0.5) == member)
