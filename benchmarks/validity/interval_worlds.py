"""Distributions of scores of which AUC and TPR at 1 % FPR are known.

For `interval_coverage.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import optimize, stats

ALPHA = 0.01
NAMES = {
    "normal": (stats.norm, 0.0),
    "t, 3 degrees of freedom": (stats.t(3), 0.0),
    "t, 2 degrees of freedom": (stats.t(2), 0.0),
    "normal, rounded to 0.1": (stats.norm, 0.1),
    "normal, rounded to 0.5": (stats.norm, 0.5),
}


@dataclass(frozen=True)
class World:
    """A distribution of scores and how far members are shifted in it."""

    name: str
    separation: float
    n: int

    @property
    def shift(self) -> float:
        return shift_for(self.name, self.separation)

    @cached_property
    def true_auc(self) -> float:
        _, step = NAMES[self.name]
        if step == 0:
            return self.separation
        grid = np.arange(-20, 30, step)
        nonmembers = self.above(grid - step, 0) - self.above(grid, 0)
        above = (self.above(grid, self.shift) + self.above(grid - step, self.shift)) / 2
        return float(nonmembers @ above)

    @cached_property
    def true_tpr(self) -> float:
        """At the lowest threshold whose FPR is at most 1 %."""
        distribution, step = NAMES[self.name]
        if step == 0:
            return float(distribution.sf(distribution.isf(ALPHA) - self.shift))
        grid = np.arange(-20, 30, step)
        return float(self.above(grid[np.argmax(self.above(grid, 0) <= ALPHA)], self.shift))

    def above(self, threshold: float | np.ndarray, shift: float) -> np.ndarray:
        """The chance of a score above a threshold, which lies on the grid if there is one."""
        distribution, step = NAMES[self.name]
        return distribution.sf(threshold + step / 2 - shift)

    def draw(self, rng: np.random.Generator, shift: float) -> np.ndarray:
        distribution, step = NAMES[self.name]
        scores = distribution.rvs(size=self.n, random_state=rng) + shift
        return np.rint(scores / step) * step if step else scores

    def sides(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return self.draw(rng, self.shift), self.draw(rng, 0)


@cache
def shift_for(name: str, area: float) -> float:
    """The shift at which scores that are not rounded have this AUC."""
    distribution, _ = NAMES[name]

    def excess(shift: float) -> float:
        return distribution.expect(lambda score: distribution.sf(score - shift)) - area

    return (
        float(optimize.root_scalar(excess, bracket=(0, 20), method="brentq").root)
        if area > 0.5
        else 0.0
    )
