"""Rows of a data set under a series of filters that count what they drop."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FilterStep:
    """Number of rows that a step dropped, per side."""

    step: str
    members: int
    nonmembers: int


class RowFilter:
    """Rows that remain after each step; at first all of them.

    Args:
        member: labels (n,).
    """

    def __init__(self, member: NDArray[np.bool_]) -> None:
        self.member = member
        self._kept = np.ones(len(member), dtype=bool)
        self.steps: list[FilterStep] = []

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows that remain, in order."""
        return np.flatnonzero(self._kept)

    def keep(self, step: str, good: NDArray[np.bool_]) -> None:
        """Drops remaining rows that are not `good` (as many as `rows`)."""
        dropped = self.rows[~good]
        members = int(self.member[dropped].sum())
        self.steps.append(FilterStep(step, members, len(dropped) - members))
        self._kept[dropped] = False

    def keep_first(self, step: str, keys: list[Any]) -> None:
        """Keeps the first row of each key on each side."""
        seen: set[Any] = set()
        good = np.ones(len(keys), dtype=bool)
        for i, key in enumerate(zip(keys, self.member[self.rows].tolist(), strict=True)):
            good[i] = key not in seen
            seen.add(key)
        self.keep(step, good)

    def count(self) -> dict[str, Any]:
        """Report of rows before and after, and of what each step dropped, per side."""
        sides = {"members": self.member, "nonmembers": ~self.member}
        ends = {
            word: {"before": int(side.sum()), "after": int((side & self._kept).sum())}
            for word, side in sides.items()
        }
        return {**ends, "dropped": [asdict(step) for step in self.steps]}
