"""The one documented way from a picture of any size and mode to a target's square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps


def to_square(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    """Turns upright (EXIF), paints on white, resizes the short side (Lanczos), crops the centre.

    Members and non-members go through the same steps, since any difference would be a label.

    Args:
        picture: of any mode and size.
        size: side of the square, in pixels.

    Returns:
        Pixels (size, size, 3).
    """
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off, not scale
        grey = np.asarray(picture).astype(np.float64) / 256
        picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    if picture.size != (size, size):
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture)
