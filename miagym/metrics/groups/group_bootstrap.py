"""Group bootstrap: intervals of graded verdicts where candidates look alike.

An agent that answers by the looks of a candidate is right, or wrong, about all of its look-alikes
at once. Intervals that take candidates as independent are then too narrow: on the embedded `test`,
they call an agent that tosses one coin for each group better or worse than chance 29 times in 100.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.auc import Interval
from miagym.metrics.brier import brier_rewards, on_the_right_side
from miagym.metrics.intervals import mean_interval

RESAMPLES = 1000


@dataclass(frozen=True)
class GroupIntervals:
    """95 % percentile intervals of the group bootstrap."""

    brier_reward: Interval
    accuracy: Interval


def group_intervals(
    probability: NDArray[np.float64], member: NDArray[np.bool_], groups: NDArray[np.integer]
) -> GroupIntervals | None:
    """Seeded bootstrap over groups (n,) drawn with replacement; None if no group has two members.

    Args:
        probability: of membership (n,).
        member: the truth (n,).
        groups: group number of each candidate (n,).
    """
    reward, right = brier_rewards(probability, member), on_the_right_side(probability, member)
    ends = grouped_mean_intervals(np.stack([reward, right], axis=1), groups)
    return None if ends is None else GroupIntervals(*ends)


def mean_intervals(
    values: NDArray[np.float64], groups: NDArray[np.integer] | None
) -> list[Interval]:
    """95 % intervals of the means of values (n, k), k of them; a point where all are equal.

    Over groups (n,) where any has two members, else over rows.
    """
    grouped = None if groups is None else grouped_mean_intervals(values, groups)
    return [
        (float(column[0]), float(column[0]))
        if np.ptp(column) == 0
        else mean_interval(column)
        if grouped is None
        else grouped[k]
        for k, column in enumerate(values.T)
    ]


def grouped_mean_intervals(
    values: NDArray[np.float64], groups: NDArray[np.integer]
) -> list[Interval] | None:
    """Intervals of the means of values (n, k), k of them, over the same resampled groups (n,).

    95 % percentiles of a seeded bootstrap; None if no group has two members.
    """
    of_row = np.unique(groups, return_inverse=True)[1]
    n = int(of_row.max()) + 1
    if n == len(groups):
        return None
    order = np.argsort(of_row, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(of_row))[:-1])
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        some = np.concatenate([rows[g] for g in rng.integers(n, size=n)])
        found.append([column[some].mean() for column in values.T])
    low, high = np.quantile(found, [0.025, 0.975], axis=0).tolist()
    return list(zip(low, high, strict=True))
