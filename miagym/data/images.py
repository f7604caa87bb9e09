"""Conversion of pictures of any size, format and mode to a target's square."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, features

from miagym.errors import DataError

FORMATS = (
    *("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"),
    *(["AVIF"] if features.check("avif") else []),
)
"""What is read. The rest of what Pillow knows is rare, or hands the file to other programs."""

SUFFIXES = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "AVIF": (".avif", ".avifs"),
}
"""How names of files end, lower case; AVIF is looked for even where it cannot be read."""

MAX_PIXELS = 64_000_000
"""A picture of more pixels is refused by its header, before anything is decoded."""

STRIP = 64
"""Rows that are converted at a time: a whole picture of that size may take a gigabyte."""

FLOAT_MARGIN = 0.5
"""How far floats may lie beyond 0, 1 or 255, as they do where a picture was resized."""

_LANCZOS = Image.Resampling.LANCZOS
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the orientation that EXIF states."""
_ACROSS = (5, 6, 7, 8)
"""Rows of the upright picture are columns of the stored one."""
_FROM_END = (3, 4, 7, 8)
"""The upright picture begins where the stored one ends."""

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises on pictures that are broken, have broken EXIF, or are too large to be true."""


_FILTERS = RLock()


@contextmanager
def quietly() -> Iterator[None]:
    """Silences Pillow's warnings about odd metadata and about many pixels.

    One thread at a time: Python's warning filters belong to the process, and pages have many
    threads.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_picture(picture: bytes | Path) -> Image.Image:
    """Opens an encoded picture, or the file that holds one, without decoding it.

    Raises:
        DataError: if it is none, in an unknown format, or larger than `MAX_PIXELS`.
    """
    try:
        if not picture:
            raise DataError("there is no picture")
        if isinstance(picture, Path) and "\0" in str(picture):
            raise DataError("the name of its file holds a NUL")
        opened = Image.open(
            io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=FORMATS
        )
    except UNREADABLE as error:
        raise DataError(_reason(error)) from error
    width, height = opened.size
    if width * height > MAX_PIXELS:
        opened.close()
        raise DataError(f"{width} × {height} pixels are too many, at most {MAX_PIXELS:,} are read")
    return opened


def read_picture(picture: bytes | Path) -> Image.Image:
    """Reads an encoded picture, or the file that holds one: upright, on white, RGB.

    Raises:
        DataError: in a few words, if it cannot be read or is larger than `MAX_PIXELS`.
    """
    with open_picture(picture) as opened:
        try:
            return upright(opened)
        except UNREADABLE as error:
            raise DataError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is missing"
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture in a format that is read"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"it has too many pixels, at most {MAX_PIXELS:,} are read"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"its content is damaged: {str(error) or type(error).__name__}"


def upright(picture: Image.Image) -> Image.Image:
    """Converts a picture to upright (EXIF) RGB of 8 bits, painted on white."""
    whole = Image.new("RGB", _upright_size(picture))
    for top, strip in _strips(picture):
        whole.paste(strip, (0, top))
    return whole


def to_square(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    """Squares a picture: upright (EXIF), on white, short side resized (Lanczos), centre cropped.

    Members and non-members go through the same steps, since any difference would be a label.
    Rows are resized strip by strip, and columns then: the same pixels as with the whole picture,
    of which there is no second copy at any time.

    Args:
        picture: of any mode and size.
        size: side of the square, in pixels.

    Returns:
        Pixels (size, size, 3).
    """
    width, height = _upright_size(picture)
    side = min(width, height)
    left, above = (width - side) / 2, (height - side) / 2
    narrow = Image.new("RGB", (size, height))
    for top, strip in _strips(picture):
        box = (left, 0, left + side, strip.height)
        narrow.paste(strip.resize((size, strip.height), _LANCZOS, box), (0, top))
    return np.asarray(narrow.resize((size, size), _LANCZOS, (0, above, size, above + side)))


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The upright picture as RGB: at which row each strip begins, and the strip."""
    orientation = _orientation(picture)
    scale = _float_scale(picture) if picture.mode == "F" else 1.0
    if picture.mode == "I":
        _check_16_bits(picture)
    _, height = _upright_size(picture)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        first, last = (height - bottom, height - top) if orientation in _FROM_END else (top, bottom)
        lies_across = orientation in _ACROSS
        box = (first, 0, last, picture.height) if lies_across else (0, first, picture.width, last)
        strip = picture.crop(box)
        if orientation in _TURNS:
            strip = strip.transpose(_TURNS[orientation])
        yield top, _on_white(strip, scale)


def _upright_size(picture: Image.Image) -> tuple[int, int]:
    lies_across = _orientation(picture) in _ACROSS
    width, height = picture.size
    return (height, width) if lies_across else (width, height)


def _orientation(picture: Image.Image) -> int:
    picture.load()  # a TIFF turns itself then
    return picture.getexif().get(0x0112, 1)


def _float_scale(picture: Image.Image) -> float:
    """What makes grey of 0 to 255 of a picture of floats, which have no largest value by kind.

    Raises:
        DataError: if they are in neither of the ranges that people use, so that nobody knows.
    """
    values = np.asarray(picture)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))  # NaN stays NaN
    if low >= -FLOAT_MARGIN and high <= 1 + FLOAT_MARGIN:
        return 255.0
    if low >= -FLOAT_MARGIN and high <= 255 + FLOAT_MARGIN:
        return 1.0
    raise DataError(
        f"its pixels are floats from {low:.3g} to {high:.3g}; expected 0 to 1 or 0 to 255, so save "
        "it with 8 bits"
    )


def _check_16_bits(picture: Image.Image) -> None:
    """Refuses whole numbers of 32 bits, whose white nobody knows.

    Raises:
        DataError: if they are no 16 bits, as of a PNG or of a TIFF that says so.
    """
    bits = getattr(picture, "tag_v2", {}).get(258, (16,))
    if max(np.atleast_1d(bits)) > 16:
        values = np.asarray(picture)
        raise DataError(
            f"its pixels are whole numbers of 32 bits from {values.min()} to {values.max()}, and "
            "nobody can tell which one is white; save it with 8 or 16 bits"
        )


def _on_white(picture: Image.Image, scale: float = 1.0) -> Image.Image:
    if picture.mode == "F":
        grey = (np.asarray(picture) * scale).round().clip(0, 255)
        picture = Image.fromarray(grey.astype(np.uint8))
    if picture.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off, not scale
        grey = np.asarray(picture).astype(np.float64) / 256
        picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")
