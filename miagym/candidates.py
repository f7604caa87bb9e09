"""Candidates: pictures with captions as an attacker sees them, without any label."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from miagym.errors import DataError

DIGESTS = frozenset({"keys", "pictures"})
"""What is computed of candidates once, on demand, and holds for each of them by itself."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pictures with captions, without labels.

    Args:
        images: (n, height, width, 3), 8 bit.
        captions: n texts; "" where a picture has none.
        origins: keys of the n candidates that these pictures were made from, if they were.

    Raises:
        DataError: if shapes or lengths do not fit, or a caption is no text.
    """

    images: NDArray[np.uint8]
    captions: tuple[str, ...]
    origins: tuple[str, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[-1] != 3 or self.images.dtype != np.uint8:
            raise DataError(
                "Expected images of shape (n, height, width, 3) and type uint8, "
                f"got {self.images.shape} and {self.images.dtype}."
            )
        if len(self.captions) != len(self.images):
            raise DataError(f"Got {len(self.images)} images and {len(self.captions)} captions.")
        check_texts(self.captions)
        if self.origins is not None and len(self.origins) != len(self.images):
            raise DataError(f"Got {len(self.images)} images and {len(self.origins)} origins.")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        """Their number and size, and none of the pictures."""
        _, height, width, _ = self.images.shape
        return f"<Candidates: {len(self):,} of {width}×{height} pixels, with captions>"

    def __getitem__(self, rows: slice | NDArray[np.integer] | Sequence[int]) -> Candidates:
        index = np.arange(len(self))[rows]
        origins = None if self.origins is None else tuple(self.origins[i] for i in index)
        some = Candidates(self.images[index], tuple(self.captions[i] for i in index), origins)
        for digests in DIGESTS & vars(self).keys():  # computed already
            vars(some)[digests] = tuple(getattr(self, digests)[i] for i in index)
        return some

    @classmethod
    def picked(cls, rows: Sequence[tuple[Candidates, int]]) -> Candidates:
        """One candidate of each of several sets, under the keys that they have there."""
        captions = tuple(one.captions[i] for one, i in rows)
        keys = tuple(one.keys[i] for one, i in rows)
        picked = cls(np.stack([one.images[i] for one, i in rows]), captions, keys)
        vars(picked)["pictures"] = tuple(one.pictures[i] for one, i in rows)
        return picked

    def with_images(self, images: NDArray[np.uint8]) -> Candidates:
        """Candidates with other pictures (n, height, width, 3), crops say, under the same keys.

        Their keys stay: the originals pay for what is asked, under the originals' noise.
        """
        return Candidates(images, self.captions, self.keys)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Keys (n): digests of picture and caption, by which candidates pay and get their noise.

        Pictures derived from a candidate keep the candidate's key.
        """
        if self.origins is not None:
            return self.origins
        pairs = zip(self.images, self.captions, strict=True)
        return tuple(_digest(image.tobytes() + caption.encode()).hex() for image, caption in pairs)

    @cached_property
    def pictures(self) -> tuple[bytes, ...]:
        """A digest of each picture alone: equal where there is the same to be seen."""
        return tuple(_digest(image.tobytes()) for image in self.images)

    def chunks(self, size: int) -> Iterator[Candidates]:
        """Consecutive pieces of at most `size` candidates."""
        for start in range(0, len(self), size):
            yield self[start : start + size]


def check_texts(texts: Sequence[object]) -> None:
    """Checks that all are texts that can be written down.

    Raises:
        DataError: if one is no `str`, or holds half of a surrogate pair, as JSON may.
    """
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"Caption {row} is of type {type(text).__name__}, expected str.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"Caption {row} is no Unicode text: character {error.start} is half of a surrogate "
                "pair. Take it out."
            ) from None


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
