"""Rows of a score file: scores with their labels, and which rows are the same candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.data.splits import subsample
from miagym.metrics.labelled import Labelled


@dataclass(frozen=True, eq=False)
class Rows(Labelled):
    """Some n rows of the file; higher score = member."""

    place: NDArray[np.int64]
    """Row of the file, from 0."""
    id: NDArray[np.int64] | None = None
    """A number for each distinct id."""
    caption: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Rows:
        """Some of these rows, in that order."""
        return Rows(
            self.score[rows],
            self.member[rows],
            self.place[rows],
            None if self.id is None else self.id[rows],
            None if self.caption is None else self.caption[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


Variants = dict[str, Rows]
"""By variant, the same candidates in the same order."""


def same_candidates(rows: Rows, others: Rows) -> Rows | None:
    """The rows in the order of `others`, matched by id or else as they stand.

    Returns:
        None if they are not the same candidates: other ids, or other labels.
    """
    if len(rows) != len(others):
        return None
    if rows.id is not None and others.id is not None:
        order = np.argsort(rows.id, kind="stable")
        rank = np.empty(len(order), dtype=np.intp)
        rank[np.argsort(others.id, kind="stable")] = np.arange(len(order))
        rows = rows.take(order[rank])
        if not np.array_equal(rows.id, others.id):  # pyright: ignore[reportArgumentType]
            return None
    return rows if np.array_equal(rows.member, others.member) else None


def split(code: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Rows (as indices) of each distinct code, in order of the code."""
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def at_most(most: int, member: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Rows (as indices, ascending) of so many random members and non-members, or of all."""
    return np.sort(subsample(most, member, np.random.default_rng(seed)))
