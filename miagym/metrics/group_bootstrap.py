"""Group bootstrap: intervals of graded verdicts where candidates look alike.

An agent that answers by the looks of a candidate is right, or wrong, about all of its look-alikes
at once. Intervals that take candidates as independent are then too narrow: on the embedded `test`,
they call an agent that tosses one coin for each group better or worse than chance 29 times in 100.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.auc import Interval, auc
from miagym.metrics.brier import brier_rewards, on_the_right_side
from miagym.metrics.detection import tpr_at_fpr

RESAMPLES = 1000
ALPHAS = (0.01, 0.001)


@dataclass(frozen=True)
class GroupIntervals:
    """95 % percentile intervals of the group bootstrap; None where a metric is undefined."""

    brier_reward: Interval | None
    accuracy: Interval | None
    auc: Interval | None
    tpr_at_fpr: dict[float, Interval | None]


def group_intervals(
    probability: NDArray[np.float64], member: NDArray[np.bool_], groups: NDArray[np.integer]
) -> GroupIntervals | None:
    """Seeded bootstrap over groups (n,) drawn with replacement; None if no group has two members.

    Args:
        probability: of membership (n,).
        member: the truth (n,).
        groups: group number of each candidate (n,).
    """
    of_row = np.unique(groups, return_inverse=True)[1]
    n = int(of_row.max()) + 1
    if n == len(groups):
        return None
    order = np.argsort(of_row, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(of_row))[:-1])
    reward, right = brier_rewards(probability, member), on_the_right_side(probability, member)
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        some = np.concatenate([rows[g] for g in rng.integers(n, size=n)])
        ours, theirs = probability[some[member[some]]], probability[some[~member[some]]]
        if len(ours) and len(theirs):
            points = [tpr_at_fpr(ours, theirs, alpha) for alpha in ALPHAS]
            tpr = [np.nan if point is None else point.tpr for point in points]
            found.append([reward[some].mean(), right[some].mean(), auc(ours, theirs), *tpr])
    brier, accuracy, area, *tpr = (_middle(np.array(column)) for column in zip(*found, strict=True))
    return GroupIntervals(brier, accuracy, area, dict(zip(ALPHAS, tpr, strict=True)))


def _middle(values: NDArray[np.float64]) -> Interval | None:
    """Middle 95 % of the values that are not NaN."""
    if np.isnan(values).all():
        return None
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
