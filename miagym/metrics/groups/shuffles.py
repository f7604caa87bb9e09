"""Labels dealt anew, as a fair split could have dealt them: what stands together stays together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SHUFFLES = 499
"""Fair splits that the one in question is compared with; no p-value is below 1/500."""


def shuffled_labels(
    member: NDArray[np.bool_], groups: NDArray[np.integer], seed: int
) -> NDArray[np.bool_]:
    """Shuffles labels as a fair split could have dealt them, rows of a group together.

    Args:
        member: labels (n,).
        groups: group number of each row (n,).
        seed: of the order.

    Returns:
        Labels (n, 1 + SHUFFLES), the given ones first.
    """
    labels = np.empty((len(member), 1 + SHUFFLES), dtype=bool)
    labels[:, 0] = member
    dealt = dealt_labels(blocks(groups, member), int(member.sum()), seed, SHUFFLES)
    for column, one in enumerate(dealt, 1):
        labels[:, column] = one
    return labels


def blocks(groups: NDArray[np.integer], member: NDArray[np.bool_]) -> NDArray[np.intp]:
    """What is dealt as one, by number (n,): a group's rows on one side.

    Rows of a group that stand on the same side may stand there because of each other.
    """
    return np.unique(np.column_stack([groups, member]), axis=0, return_inverse=True)[1].ravel()


def dealt_labels(
    block: NDArray[np.intp], members: int, seed: int, times: int
) -> Iterator[NDArray[np.bool_]]:
    """Labels (n,) by whole blocks in random order: members first, until there are so many.

    Args:
        block: number of each row's block (n,), from 0.
        members: how many there are to be; the last block may bring a few more.
        seed: of the order.
        times: how often they are dealt.
    """
    rng, sizes = np.random.default_rng(seed), np.bincount(block)
    for _ in range(times):
        order = rng.permutation(len(sizes))
        before = np.cumsum(sizes[order]) - sizes[order]
        is_member = np.empty(len(sizes), dtype=bool)
        is_member[order] = before < members
        yield is_member[block]
