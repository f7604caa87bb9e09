"""Candidates: the pictures in question, as an attacker sees them, without any label."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from miagym.errors import DataError


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pictures with captions.

    Args:
        images: (n, height, width, 3), 8 bit.
        captions: n texts; "" where a picture has none.

    Raises:
        DataError: if shapes or lengths do not fit.
    """

    images: NDArray[np.uint8]
    captions: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[-1] != 3 or self.images.dtype != np.uint8:
            raise DataError(
                "Expected images of shape (n, height, width, 3) and type uint8, "
                f"got {self.images.shape} and {self.images.dtype}."
            )
        if len(self.captions) != len(self.images):
            raise DataError(f"Got {len(self.images)} images and {len(self.captions)} captions.")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | NDArray[np.integer] | Sequence[int]) -> Candidates:
        index = np.arange(len(self))[rows]
        return Candidates(self.images[index], tuple(self.captions[i] for i in index))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """What tells candidates apart: a digest of picture and caption, whatever their order."""
        return tuple(
            hashlib.blake2b(image.tobytes() + caption.encode(), digest_size=16).hexdigest()
            for image, caption in zip(self.images, self.captions, strict=True)
        )

    def chunks(self, size: int) -> Iterator[Candidates]:
        """Consecutive pieces of at most `size` candidates."""
        for start in range(0, len(self), size):
            yield self[start : start + size]
