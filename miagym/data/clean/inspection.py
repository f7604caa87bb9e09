"""Facts about pictures that cleaning needs, each picture read once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import encoded
from miagym.data.duplicates import perceptual_hash
from miagym.data.images import read_picture
from miagym.data.pictures import Picture, reason
from miagym.errors import DataError


@dataclass(frozen=True, eq=False)
class Inspection:
    """Hashes, sizes and readability of n pictures.

    Args:
        readable: whether each can be read (n,).
        contents: digests of the encoded bytes (n).
        hashes: perceptual hashes (n,), 0 where unreadable.
        short_sides: in pixels (n,), 0 where unreadable.
        unreadable: why, by row.
    """

    readable: NDArray[np.bool_]
    contents: tuple[bytes, ...]
    hashes: NDArray[np.uint64]
    short_sides: NDArray[np.int64]
    unreadable: dict[int, str]


def inspect_all(pictures: Sequence[Picture], done: Callable[[], None] = lambda: None) -> Inspection:
    """Inspects every picture once, one in memory at a time.

    Args:
        pictures: encoded, in memory or lazy (n).
        done: called after each.
    """
    n = len(pictures)
    hashes, short_sides = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.int64)
    contents: list[bytes] = []
    unreadable: dict[int, str] = {}
    for row, picture in enumerate(pictures):
        data = encoded(picture)
        contents.append(hashlib.sha256(data).digest()[:16])
        try:
            read = read_picture(data)
            hashes[row], short_sides[row] = perceptual_hash(np.asarray(read)), min(read.size)
        except DataError as error:
            unreadable[row] = reason(picture, error)
        done()
    readable = np.array([row not in unreadable for row in range(n)], dtype=bool)
    return Inspection(readable, tuple(contents), hashes, short_sides, unreadable)
