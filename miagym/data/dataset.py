"""Candidates with what only the grader knows: who is a member, and which part chooses or tests."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.data.candidates import Candidates
from miagym.data.images import to_square
from miagym.errors import DataError

CALIBRATION, TEST = "calibration", "test"

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)
"""What Pillow raises on pictures that are broken, have broken EXIF, or are too large to be true."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled set of pictures; pixels are decoded only when a chunk is asked for.

    Args:
        name: what reports call it.
        pictures: encoded pictures, or the files that hold them (n).
        captions: n texts, "" for none.
        member: n labels.
        part: n times `CALIBRATION` or `TEST`.

    Raises:
        DataError: if a part lacks members or non-members.
    """

    name: str
    pictures: Sequence[bytes | Path]
    captions: tuple[str, ...]
    member: NDArray[np.bool_]
    part: NDArray[np.str_]

    def __post_init__(self) -> None:
        for part in (CALIBRATION, TEST):
            for member, word in ((True, "members"), (False, "non-members")):
                if not ((self.part == part) & (self.member == member)).any():
                    raise DataError(
                        f"{self.name} has no {word} in its {part} part; an evaluation needs both "
                        "kinds in both parts."
                    )

    def __len__(self) -> int:
        return len(self.pictures)

    @cached_property
    def digest(self) -> str:
        """A digest of pictures, captions, labels and parts: what a run was made from.

        Raises:
            DataError: if a picture cannot be read, or stands there twice with the same caption.
        """
        state, seen = hashlib.sha256(), {}
        for row, (picture, caption) in enumerate(zip(self.pictures, self.captions, strict=True)):
            try:
                data = picture if isinstance(picture, bytes) else picture.read_bytes()
            except OSError as error:
                raise DataError(f"{self.name}: {picture} cannot be read ({error}).") from error
            one = hashlib.sha256(data + b"\0" + caption.encode()).digest()
            if one in seen:
                raise DataError(
                    f"{self.name}: rows {seen[one]} and {row} hold the same picture and caption; "
                    "drop one, since a duplicate across the split is a member in disguise."
                )
            seen[one] = row
            state.update(one)
        state.update(self.member.tobytes())
        state.update("".join(self.part).encode())
        return state.hexdigest()[:16]

    def candidates(self, rows: NDArray[np.integer], size: int) -> Candidates:
        """Some rows as an attacker sees them, squared to `size` pixels (see `images.to_square`).

        Raises:
            DataError: if a picture cannot be read.
        """
        images = np.stack([self._pixels(int(row), size) for row in rows])
        return Candidates(images, tuple(self.captions[row] for row in rows))

    def rows(self, part: str, seed: int, limit: int | None = None) -> NDArray[np.int64]:
        """Rows of a part, members and non-members mixed, in an order that depends on the seed only.

        Args:
            part: `CALIBRATION` or `TEST`.
            seed: of the order.
            limit: at most so many members, and so many non-members.
        """
        rng = np.random.default_rng(seed)
        sides = [np.flatnonzero((self.part == part) & (self.member == m)) for m in (True, False)]
        return rng.permutation(np.concatenate([rng.permutation(side)[:limit] for side in sides]))

    def _pixels(self, row: int, size: int) -> NDArray[np.uint8]:
        picture = self.pictures[row]
        try:
            with Image.open(
                io.BytesIO(picture) if isinstance(picture, bytes) else picture
            ) as opened:
                return to_square(opened, size)
        except UNREADABLE as error:
            where = f"row {row}" if isinstance(picture, bytes) else str(picture)
            raise DataError(
                f"{self.name}: the picture in {where} cannot be read ({error}); mend or remove it."
            ) from error
