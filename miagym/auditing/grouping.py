"""Groups of rows that a fair split, or the folds of a cross-validation, keep together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_REPEATED = 0.02
"""Share of rows whose captions repeat others from which repeats are a test of their own: fewer
cannot lift an AUC by more than that."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of n rows, for shuffling labels and for cutting folds.

    Copies of a picture are one thing, and a split that keeps them together is fair. Rows of the
    same words need not be: "a photo of a sparrow" is a category, and a split by category must not
    pass because its rows were taken for copies. So the words keep rows together where a rule is
    learned, lest it learns them by heart, but not where a fair split is dealt.

    Args:
        dealt: what a fair split may have dealt as one (n,): given groups, near-duplicate pictures.
        learned: what no fold cuts (n,): the same, and captions of the same words besides.
    """

    dealt: NDArray[np.integer]
    learned: NDArray[np.integer]

    @property
    def repeat(self) -> bool:
        """Whether enough rows repeat the words of rows that were dealt apart from them."""
        pairs = np.unique(np.column_stack([self.learned, self.dealt]), axis=0)[:, 0]
        _, group, of_each = np.unique(self.learned, return_inverse=True, return_counts=True)
        parts = np.unique(pairs, return_counts=True)[1]
        return bool(of_each[parts > 1].sum() >= MIN_REPEATED * len(group))
