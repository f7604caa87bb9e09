"""Near-duplicates among drawings: the same ink up to small changes, or mirrored.

A near-duplicate across the split is a member in disguise, so one drawing of each kind is kept, and
drawings that are merely similar share a group, which a split never cuts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MAX_DUPLICATE_DISTANCE = 0.17
"""Below this distance (squared difference over ink energy) two drawings count as the same."""

MAX_SIMILAR_DISTANCE = 0.19
"""Below this distance two drawings are kept apart but put into one group."""

THUMBNAIL = 32


def ink(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Ink of grey thumbnails, white = 0: (n, 64, 64, 3) pixels to (n, 32·32) in [0, 1]."""
    return _ink(pixels, "L")


def colour(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Coloured ink of thumbnails: (n, 64, 64, 3) pixels to (n, 32·32·3) in [0, 1].

    For drawings of one outline and many colours, as faces, hearts and signs are.
    """
    return _ink(pixels, "RGB")


def _ink(pixels: NDArray[np.uint8], mode: str) -> NDArray[np.float32]:
    thumbnails = [
        np.asarray(
            Image.fromarray(p).convert(mode).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        )
        for p in pixels
    ]
    return (1 - np.stack(thumbnails).reshape(len(pixels), -1) / 255).astype(np.float32)


def mirrored(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = ink.reshape(len(ink), THUMBNAIL, THUMBNAIL, -1)
    return squares[:, :, ::-1].reshape(len(ink), -1)


def distances(
    ink: NDArray[np.float32], rows: int = 512
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Distance of each drawing to all others, to their mirror images too, `rows` at a time.

    The distance of a and b is ||a - b||² / mean(||a||², ||b||²): 0 = same ink, about 2 = unrelated.

    Yields:
        A slice of r drawings and their distances (r, n).
    """
    energy = (ink**2).sum(axis=1)
    flipped = mirrored(ink)
    for start in range(0, len(ink), rows):
        chunk = slice(start, min(start + rows, len(ink)))
        both = energy[chunk, None] + energy[None, :]
        overlap = np.maximum(ink[chunk] @ ink.T, ink[chunk] @ flipped.T)
        yield chunk, 2 * (both - 2 * overlap) / np.maximum(both, 1e-6)


def _close_pairs(
    ink: NDArray[np.float32], below: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    pairs = [(np.argwhere(d < below) + np.array([chunk.start, 0])) for chunk, d in distances(ink)]
    first, second = np.concatenate(pairs).T
    return first[first > second], second[first > second]


def unique(ink: NDArray[np.float32], below: float = MAX_DUPLICATE_DISTANCE) -> NDArray[np.bool_]:
    """Drawings to keep (n,): greedily in order, those with no kept near-duplicate before them."""
    earlier: dict[int, list[int]] = {}
    for later, before in zip(*_close_pairs(ink, below), strict=True):
        earlier.setdefault(int(later), []).append(int(before))
    keep = np.ones(len(ink), dtype=bool)
    for i in range(len(ink)):
        keep[i] = not any(keep[j] for j in earlier.get(i, ()))
    return keep


def groups(
    ink: NDArray[np.float32], captions: list[str], below: float = MAX_SIMILAR_DISTANCE
) -> NDArray[np.int32]:
    """Group numbers (n,): drawings linked by similarity, or by the very same caption, share one."""
    first, second = _close_pairs(ink, below)
    _, caption = np.unique(captions, return_inverse=True)
    n, n_captions = len(ink), caption.max() + 1
    edges = np.concatenate([first, np.arange(n)]), np.concatenate([second, n + caption])
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(n + n_captions, n + n_captions))
    labels = connected_components(graph, directed=False)[1][:n]
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)
