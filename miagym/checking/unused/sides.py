"""The two sides of a check without members: pictures in question, and unused ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.candidates import Candidates
from miagym.checking.features import looks
from miagym.checking.given import Given
from miagym.checking.provenance import PictureRecord
from miagym.checking.upload import Upload, open_upload
from miagym.data.duplicates import duplicate_groups, perceptual_hash
from miagym.errors import DataError

THUMB = 16
"""Side of the copy, in pixels, by which two pictures are compared."""


@dataclass(frozen=True, eq=False)
class SidePicture:
    """A picture that can be read: what is known of it, without its pixels.

    Args:
        name: what answers call it.
        given: where it lies.
        sha256: of the file.
        caption: as it is given to a target, "" for none.
        done: what is done to the picture for the target, in words.
        key: digest of its pixels for this target.
        hash: perceptual.
        thumb: small copy (`THUMB` * `THUMB` * 3,), in [0, 1].
        look: for the guard (d,).
    """

    name: str
    given: Given
    sha256: str
    caption: str
    done: tuple[str, ...]
    key: str
    hash: int
    thumb: NDArray[np.float32]
    look: NDArray[np.float64]

    def open(self, size: int) -> NDArray[np.uint8]:
        """Its pixels (size, size, 3) for a target of this size."""
        return open_upload(self.given.source, size, name=self.name).candidate.images[0]


@dataclass(frozen=True, eq=False)
class Side:
    """Pictures of one side.

    Args:
        pictures: those that can be read, each once.
        skipped: by name, why a picture cannot be used.
        repeated: by name, which earlier picture it repeats.
    """

    pictures: tuple[SidePicture, ...]
    skipped: Mapping[str, str]
    repeated: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.pictures)

    def records(self, side: str) -> list[PictureRecord]:
        """What evidence says of them."""
        return [PictureRecord(p.name, side, p.sha256, p.given) for p in self.pictures]

    @property
    def captioned(self) -> int:
        """How many have a caption."""
        return sum(bool(picture.caption) for picture in self.pictures)


def read_side(
    given: Mapping[str, Given], size: int, caption: str | None, done: Callable[[], None]
) -> Side:
    """Reads one side; nearly the same picture twice is no further evidence, and counts once.

    Args:
        given: by name.
        size: of the target, in pixels.
        caption: of the one picture; None for what lies beside them.
        done: called after each.

    Raises:
        DataError: if none can be read.
    """
    read: list[SidePicture] = []
    skipped: dict[str, str] = {}
    for name, picture in given.items():
        try:
            text = picture.caption() if caption is None else caption
            upload = open_upload(picture.source, size, caption=text, name=name)
            read.append(_picture(upload, picture))
        except DataError as error:
            skipped[name] = str(error)
        done()
    if not read:
        raise DataError(" ".join(list(skipped.values())[:3]))
    first: dict[int, str] = {}
    kept, repeated = [], {}
    hashes = np.array([picture.hash for picture in read], dtype=np.uint64)
    for picture, group in zip(read, duplicate_groups(hashes).tolist(), strict=True):
        if group in first:
            repeated[picture.name] = first[group]
        else:
            first[group] = picture.name
            kept.append(picture)
    return Side(tuple(kept), skipped, repeated)


def _picture(upload: Upload, given: Given) -> SidePicture:
    image = upload.candidate.images[0]
    small = Image.fromarray(image).resize((THUMB, THUMB), Image.Resampling.BOX)
    return SidePicture(
        name=upload.name,
        given=given,
        sha256=PictureRecord.of(upload.name, given).sha256,
        caption=upload.candidate.captions[0],
        done=upload.done,
        key=Candidates(image[None], ("",)).keys[0],
        hash=perceptual_hash(image),
        thumb=(np.asarray(small).ravel() / 255).astype(np.float32),
        look=looks(upload.candidate)[0],
    )
