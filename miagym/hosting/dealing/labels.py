"""Labels of a task's candidates, and what scores on them are measured by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import TEST, Dataset
from miagym.metrics.auc import Interval
from miagym.metrics.comparisons.comparison import Difference, compare
from miagym.metrics.groups.group_bootstrap import mean_intervals
from miagym.metrics.measure import Metrics, measure
from miagym.metrics.resampling.crossed import (
    MODELS,
    PICTURES,
    REWARDS,
    crossed_metrics,
    crossed_reward_interval,
)
from miagym.metrics.resampling.crossed_difference import crossed_auc_difference
from miagym.metrics.resampling.over_models import MIN_MODELS

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Labels:
    """What the board knows of a task's candidates, in the order of their keys.

    Where they are about models of a population, eight or more, intervals are over models and
    pictures; else over pictures, or groups of look-alikes where there are.
    """

    keys: tuple[str, ...]
    member: NDArray[np.bool_]
    groups: NDArray[np.integer] | None
    """Of pictures: look-alikes share one, and so does a picture under several models."""
    models: NDArray[np.integer] | None = None
    """Of a population: which model each candidate is asked about."""
    shown: tuple[str, ...] = ()
    """Keys of the pictures; `keys` by default."""

    @classmethod
    def of(cls, data: Dataset, size: int) -> Self:
        """Labels of the test part, whichever target is asked."""
        rows = np.flatnonzero(data.part == TEST)
        keys = np.array(data.candidates(rows, size).keys)
        order = np.argsort(keys)
        rows = rows[order]
        groups = None if data.groups is None else data.groups[rows]
        return cls(tuple(keys[order].tolist()), data.member[rows], groups)

    def only(self, keys: Collection[str]) -> Self:
        """The labels of some candidates."""
        rows = np.array([row for row, key in enumerate(self.keys) if key in keys], dtype=np.int64)
        groups, models = (
            None if numbers is None else numbers[rows] for numbers in (self.groups, self.models)
        )
        kept, shown = (tuple(names[row] for row in rows) for names in (self.keys, self.pictures))
        return type(self)(kept, self.member[rows], groups, models, shown)

    def ordered(self, scores: Mapping[str, float]) -> Scores:
        """Scores (n,) by candidates' keys, in this order."""
        return np.array([scores[key] for key in self.keys])

    @property
    def pictures(self) -> tuple[str, ...]:
        """Keys of the candidates' pictures (n)."""
        return self.shown or self.keys

    @property
    def intervals_over(self) -> str:
        """What intervals hold for: other models of the population and pictures, or pictures."""
        return PICTURES if self._crossed() is None else f"{MODELS} and {PICTURES}"

    def metrics(self, scores: Scores) -> Metrics:
        """AUC and TPR@FPR of scores (n,)."""
        crossed = self._crossed()
        if crossed is None:
            return measure(scores, self.member, self.groups)
        return crossed_metrics(scores, self.member, *crossed)

    def reward_intervals(self, rewards: Scores, limits: Interval = REWARDS) -> list[Interval]:
        """95 % intervals of the means of k Brier rewards of each candidate (n, k).

        Args:
            rewards: or differences of such.
            limits: between which they can be.
        """
        crossed = self._crossed()
        if crossed is None:
            return mean_intervals(rewards, self.groups)
        return [crossed_reward_interval(one, *crossed, limits) for one in rewards.T]

    def auc_difference(self, first: Scores, second: Scores) -> Difference:
        """AUC of some scores (n,) less that of others on the same candidates."""
        crossed = self._crossed()
        if crossed is None:
            return compare(first, second, self.member, 0, self.groups).auc
        return crossed_auc_difference(first, second, self.member, *crossed)

    def _crossed(self) -> tuple[NDArray[np.integer], NDArray[np.integer]] | None:
        """Numbers of models and of pictures, where there are models enough."""
        if self.models is None or len(np.unique(self.models)) < MIN_MODELS:
            return None
        assert self.groups is not None
        return self.models, self.groups
