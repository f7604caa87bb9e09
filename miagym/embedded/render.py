"""Rendering drawings to 64×64 pixels: painted on white, cropped to the ink, fitted to a square.

Cropping to the ink before shrinking puts the same drawing, shifted or scaled, onto the same pixels,
so that near-duplicates can be found by comparing pixels (see `duplicates.py`).
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.errors import DataError

SIZE = 64
"""Width and height of every embedded drawing, in pixels."""

MARGIN = 2
"""White pixels kept around the ink on each side."""

MAX_WORKING_SIDE = 512
"""Drawings are first reduced to this many pixels a side; some exceed 100 megapixels."""

MIN_INK = 12
"""A pixel is ink where any channel is at least this far from white, of 255."""


def on_white(picture: Image.Image) -> Image.Image:
    """Paints a picture of any mode on white and returns it as RGB."""
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGBA")
        picture.thumbnail((MAX_WORKING_SIDE, MAX_WORKING_SIDE), Image.Resampling.BOX)
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    picture = picture.convert("RGB")
    picture.thumbnail((MAX_WORKING_SIDE, MAX_WORKING_SIDE), Image.Resampling.BOX)
    return picture


def ink_box(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The smallest box (left, top, right, bottom) that holds all ink; None if blank."""
    ink = (255 - np.asarray(picture)).max(axis=2) >= MIN_INK
    if not ink.any():
        return None
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def fit_to_square(picture: Image.Image) -> NDArray[np.uint8] | None:
    """Crops to the ink and centres it on a white square.

    Returns:
        Pixels (64, 64, 3), or None for a blank picture.
    """
    box = ink_box(picture)
    if box is None:
        return None
    ink = picture.crop(box)
    scale = (SIZE - 2 * MARGIN) / max(ink.size)
    width, height = (max(1, round(side * scale)) for side in ink.size)
    ink = ink.resize((width, height), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (SIZE, SIZE), "white")
    square.paste(ink, ((SIZE - width) // 2, (SIZE - height) // 2))
    return np.asarray(square)


def render(path: Path) -> NDArray[np.uint8] | None:
    """Reads a PNG as (64, 64, 3) pixels; None if blank or beyond Pillow's size guard.

    Raises:
        DataError: if the file is no readable picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return fit_to_square(on_white(picture))
    except Image.DecompressionBombError:
        return None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read as a picture ({error}); is the package complete?"
        ) from error
