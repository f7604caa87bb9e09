"""Near-duplicate pictures, by close perceptual hashes or close embeddings.

A near-duplicate of a member among the non-members is a member in disguise, and near-duplicates on
both sides of a split let a classifier learn them by heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from miagym.errors import DataError

MAX_BITS = 6
"""Bits of 64 in which two hashes may differ. Ours: on the embedded art 93 to 99 of 100 copies that
were resized, re-encoded or brightened by up to 15 % stay within it; of the pairs of drawings one in
40,000 does, and nearly all of those are variants of one drawing."""

MIN_COSINE = 0.95
"""Cosine from which two embeddings count as the same picture. Ours; it depends on the encoder."""

CHUNK_ROWS = 64
"""Items compared with all others at a time: the bound on memory."""

Close = Iterator[tuple[int, NDArray[np.bool_]]]
"""The first row of a few, and which others each of them is close to (rows, n)."""


def perceptual_hash(image: NDArray[np.uint8]) -> int:
    """Perceptual hash (pHash): signs of 8 × 8 DCT coefficients of a thumbnail against their median.

    Args:
        image: pixels (height, width, 3).

    Returns:
        64 bits; it changes little when the picture is resized, re-encoded or brightened. It does
        not see colour, and a mirrored picture has another one.
    """
    import imagehash

    return int(str(imagehash.phash(Image.fromarray(image))), 16)


def duplicate_groups(hashes: NDArray[np.uint64], within: int = MAX_BITS) -> NDArray[np.int64]:
    """Groups pictures that are linked, if over others, by close hashes.

    Args:
        hashes: of n pictures (n,); see `perceptual_hash`.
        within: bits in which two linked hashes may differ.

    Returns:
        Group number of each picture (n,), from 0 in order of appearance.
    """
    distinct, inverse = np.unique(hashes, return_inverse=True)
    return _ordered(_linked(len(distinct), _by_bits(distinct, distinct, within))[inverse])


def near_pairs(
    first: NDArray[np.uint64], second: NDArray[np.uint64], within: int = MAX_BITS
) -> NDArray[np.int64]:
    """Finds pairs across two sets whose hashes differ in at most `within` bits.

    Returns:
        Row in `first` and row in `second` of each pair (k, 2), in order.
    """
    return _pairs(_by_bits(first, second, within))


def near_by_embedding(
    embeddings: NDArray[np.floating], threshold: float = MIN_COSINE
) -> NDArray[np.int64]:
    """Groups pictures that are linked, if over others, by close embeddings.

    Args:
        embeddings: of n pictures (n, d), of any length but not zero.
        threshold: least cosine between two linked embeddings, in (-1, 1].

    Returns:
        Group number of each picture (n,), from 0 in order of appearance.

    Raises:
        DataError: if an embedding is zero or not finite.
    """
    unit = _unit(embeddings)
    return _ordered(_linked(len(unit), _by_cosine(unit, unit, threshold)))


def near_pairs_by_embedding(
    first: NDArray[np.floating], second: NDArray[np.floating], threshold: float = MIN_COSINE
) -> NDArray[np.int64]:
    """Finds pairs across two sets whose embeddings (n, d) and (m, d) have at least this cosine.

    Returns:
        Row in `first` and row in `second` of each pair (k, 2), in order.

    Raises:
        DataError: if an embedding is zero or not finite.
    """
    return _pairs(_by_cosine(_unit(first), _unit(second), threshold))


def merge_groups(groupings: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    """Merges several groupings of n items (n,): linked by any of them, in one group."""
    n = len(groupings[0])
    ends = [np.unique(grouping, return_inverse=True)[1] for grouping in groupings]
    nodes = [n + end + i * n for i, end in enumerate(ends)]
    items = np.tile(np.arange(n), len(groupings)), np.concatenate(nodes)
    size = n * (1 + len(groupings))
    graph = coo_array((np.ones(len(items[0]), dtype=bool), items), shape=(size, size))
    return _ordered(connected_components(graph, directed=False)[1][:n])


def _by_bits(first: NDArray[np.uint64], second: NDArray[np.uint64], within: int) -> Close:
    for start in range(0, len(first), CHUNK_ROWS):
        differing = np.bitwise_xor.outer(first[start : start + CHUNK_ROWS], second)
        yield start, np.bitwise_count(differing) <= within


def _by_cosine(first: NDArray[np.float32], second: NDArray[np.float32], threshold: float) -> Close:
    for start in range(0, len(first), CHUNK_ROWS):
        yield start, first[start : start + CHUNK_ROWS] @ second.T >= threshold - 1e-6


def _unit(embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(length[:, 0]) & (length[:, 0] > 0)))
    if len(bad):
        raise DataError(
            f"{len(bad)} embeddings are zero or not finite, the first of row {bad[0]}; a cosine "
            "needs a direction."
        )
    return (embeddings / length).astype(np.float32)


def _linked(n: int, close: Close) -> NDArray[np.int64]:
    """Connected components; each chunk's links are merged at once, so that none are kept."""
    label = np.arange(n)
    for start, near in close:
        row, other = np.nonzero(near)
        joins = label[row + start] != label[other]
        if joins.any():
            ends = label[row[joins] + start], label[other[joins]]
            graph = coo_array((np.ones(joins.sum(), dtype=bool), ends), shape=(n, n))
            label = connected_components(graph, directed=False)[1][label]
    return label


def _pairs(close: Close) -> NDArray[np.int64]:
    found = [np.argwhere(near) + np.array([start, 0]) for start, near in close]
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *found])


def _ordered(label: NDArray[np.integer]) -> NDArray[np.int64]:
    """The same groups, numbered in order of appearance."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)
