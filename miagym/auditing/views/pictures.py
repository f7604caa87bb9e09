"""Inspection of each picture: facts of the file, measures of the pixels, and a hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.views.files import FileFacts, file_facts, file_view
from miagym.auditing.views.pixels import pixel_measures, pixel_view
from miagym.auditing.views.view import View
from miagym.data.duplicates import perceptual_hash
from miagym.data.images import UNREADABLE, open_picture, quietly, to_square
from miagym.data.pictures import Picture, reason
from miagym.errors import DataError

HASHED = 64
"""Side, in pixels, of the copy that is hashed."""


@dataclass(frozen=True, eq=False)
class PictureFacts:
    """Facts, pixel measures (m,) and hash of one picture."""

    facts: FileFacts
    pixels: NDArray[np.float64]
    hash: int


@dataclass(frozen=True, eq=False)
class InspectedPictures:
    """Inspected pictures (n), and why some cannot be read.

    Args:
        looks: of each picture, None where it cannot be read.
        sizes: of each file in bytes (n,), 0 where there is none.
        broken: by row, why it cannot be read.
    """

    looks: tuple[PictureFacts | None, ...]
    sizes: NDArray[np.float64]
    broken: dict[int, str]

    @property
    def readable(self) -> NDArray[np.intp]:
        """Rows whose picture can be read."""
        return np.array([i for i, look in enumerate(self.looks) if look], dtype=np.intp)

    def take(self, rows: NDArray[np.integer]) -> InspectedPictures:
        """Some of them, in the order given."""
        broken = {i: self.broken[row] for i, row in enumerate(rows.tolist()) if row in self.broken}
        return InspectedPictures(tuple(self.looks[row] for row in rows), self.sizes[rows], broken)

    def views(self) -> list[View]:
        """Views of files and pixels, as far as something varies."""
        seen = [look for look in self.looks if look]
        files = file_view([look and look.facts for look in self.looks], self.sizes)
        pixels = pixel_view([look.pixels for look in seen], self.readable) if seen else None
        return [view for view in (files, pixels) if view]


def inspect_pictures(
    pictures: Sequence[Picture], done: Callable[[], None] = lambda: None
) -> InspectedPictures:
    """Inspects each picture once.

    Args:
        pictures: encoded, or the files that hold them; b"" for one that is missing.
        done: called after each.
    """
    looks: list[PictureFacts | None] = []
    sizes = np.zeros(len(pictures))
    broken: dict[int, str] = {}
    for row, picture in enumerate(pictures):
        look = None
        try:
            data = picture if isinstance(picture, bytes) else picture.read_bytes()
            sizes[row] = len(data)
            look = _inspect(data)
        except (*UNREADABLE, DataError) as error:
            broken[row] = reason(picture, error)
        looks.append(look)
        done()
    return InspectedPictures(tuple(looks), sizes, broken)


def _inspect(data: bytes) -> PictureFacts:
    with quietly(), open_picture(data) as picture:
        facts = file_facts(picture, len(data))
        picture.load()
        return PictureFacts(
            facts, pixel_measures(picture), perceptual_hash(to_square(picture, HASHED))
        )
