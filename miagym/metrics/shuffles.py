"""Shuffled labels of the same data, as a fair split could have dealt them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHUFFLES = 499
"""Fair splits that the one in question is compared with; no p-value is below 1/500."""


def shuffled_labels(
    member: NDArray[np.bool_], groups: NDArray[np.integer], seed: int, shuffles: int = SHUFFLES
) -> NDArray[np.bool_]:
    """Shuffles labels as a fair split could have dealt them, rows of a group together.

    What is dealt is a group's rows on one side, all together: rows of a group that stand on the
    same side may stand there because of each other. The blocks come in random order, and the first
    ones become members, until there are as many members as before.

    Args:
        member: labels (n,).
        groups: group number of each row (n,).
        seed: of the order.
        shuffles: how often labels are dealt again.

    Returns:
        Labels (n, 1 + shuffles), the given ones first.
    """
    rng = np.random.default_rng(seed)
    _, block, sizes = np.unique(
        np.column_stack([groups, member]), axis=0, return_inverse=True, return_counts=True
    )
    block = block.ravel()
    labels = np.empty((len(member), 1 + shuffles), dtype=bool)
    labels[:, 0] = member
    for column in range(1, 1 + shuffles):
        order = rng.permutation(len(sizes))
        before = np.cumsum(sizes[order]) - sizes[order]
        is_member = np.empty(len(sizes), dtype=bool)
        is_member[order] = before < member.sum()
        labels[:, column] = is_member[block]
    return labels
