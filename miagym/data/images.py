"""The one documented way from a picture of any size and mode to a target's square."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError, features

from miagym.errors import DataError

FORMATS = (
    *("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"),
    *(["AVIF"] if features.check("avif") else []),
)
"""What is read. The rest of what Pillow knows is rare, or hands the file to other programs."""

MAX_PIXELS = 64_000_000
"""A picture of more pixels is refused by its header, before anything is decoded."""

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


def open_picture(picture: bytes | Path) -> Image.Image:
    """Opens an encoded picture, or the file that holds one, without decoding it.

    Raises:
        DataError: if it is none, in an unknown format, or larger than `MAX_PIXELS`.
    """
    try:
        if not picture:
            raise DataError("there is no picture")
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
    """Turns upright (EXIF), paints on white, in RGB with 8 bits."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off, not scale
        grey = np.asarray(picture).astype(np.float64) / 256
        picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def to_square(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    """Turns upright (EXIF), paints on white, resizes the short side (Lanczos), crops the centre.

    Members and non-members go through the same steps, since any difference would be a label.

    Args:
        picture: of any mode and size.
        size: side of the square, in pixels.

    Returns:
        Pixels (size, size, 3).
    """
    picture = upright(picture)
    if picture.size != (size, size):
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture)
