"""View of files: format, size, metadata and compression."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from miagym.auditing.views.view import View, tabular

EXTRAS = {
    "exif": "EXIF data",
    "icc_profile": "a colour profile",
    "dpi": "a resolution",
    "transparency": "a transparent colour",
    "comment": "a comment",
    "gamma": "a gamma value",
    "progressive": "progressive order",
    "jfif": "a JFIF header",
    "adobe": "an Adobe header",
    "photoshop": "Photoshop data",
    "xmp": "XMP data",
}
"""What Pillow calls it, and what it is."""

SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True)
class FileFacts:
    """Facts of one file without its pixels.

    Args:
        size: in bytes.
        width: in pixels.
        height: in pixels.
        marks: what is said of it in words, for example "format is PNG".
    """

    size: int
    width: int
    height: int
    marks: frozenset[str]


def file_facts(picture: Image.Image, size: int) -> FileFacts:
    """Facts of an opened picture, and of its `size` bytes."""
    marks = {f"the format is {picture.format}", f"the mode is {picture.mode}"}
    marks |= {f"the file has {words}" for key, words in EXTRAS.items() if picture.info.get(key)}
    if getattr(picture, "n_frames", 1) > 1:
        marks.add("the file has several frames")
    if isinstance(picture, JpegImageFile):
        marks |= {
            _compression(picture),
            f"JPEG colour is {SUBSAMPLING.get(get_sampling(picture), 'sampled otherwise')}",
        }
    return FileFacts(size, picture.width, picture.height, frozenset(marks))


def file_view(facts: Sequence[FileFacts | None], sizes: NDArray[np.float64]) -> View | None:
    """View of n files; None if they are all alike.

    Args:
        facts: of each file, None where it cannot be read.
        sizes: of each file in bytes, 0 where there is none.
    """
    broken = np.array([fact is None for fact in facts])
    known = [fact for fact in facts if fact is not None]
    marks = sorted(set().union(*(fact.marks for fact in known)))
    bears = {m: np.array([f is not None and m in f.marks for f in facts]) for m in marks}
    bears["the picture cannot be read"] = broken
    measures = {"file size in bytes": sizes}
    if known:
        width, height = np.array([(fact.width, fact.height) for fact in known], dtype=float).T
        shape = {
            "width in pixels": width,
            "height in pixels": height,
            "width over height": width / height,
            "bytes for a pixel": sizes[~broken] / (width * height),
        }
        measures |= {name: _filled(values, broken) for name, values in shape.items()}
    return tabular("files", np.arange(len(facts)), measures, bears)


def _filled(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Known values in their places, their median elsewhere: that one is missing is its own mark."""
    filled = np.full(len(missing), np.median(values))
    filled[~missing] = values
    return filled


def _compression(picture: JpegImageFile) -> str:
    tables = picture.quantization
    luminance = tuple(tables[min(tables)])
    if luminance in _standard_tables():
        return f"JPEG quality is {_standard_tables()[luminance]}"
    return f"JPEG tables are {zlib.crc32(repr(sorted(tables.items())).encode()):08x}"


@cache
def _standard_tables() -> dict[tuple[int, ...], int]:
    """The luminance table of each quality of the Independent JPEG Group's scale."""
    by_table = {}
    for quality in range(1, 101):
        buffer = io.BytesIO()
        Image.new("L", (8, 8)).save(buffer, "JPEG", quality=quality)
        with Image.open(buffer) as encoded:
            assert isinstance(encoded, JpegImageFile)
            by_table[tuple(encoded.quantization[0])] = quality
    return by_table
