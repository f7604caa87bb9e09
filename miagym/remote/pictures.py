"""Pictures as they travel: PNG in base64."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.errors import ActionError

UPLOADED = ("picture", "mask")
"""Parts of an action that travel as pictures; a mask in white where it is 1."""


def from_png(text: str) -> NDArray[np.uint8]:
    """A picture (h, w, 3) of a host's, which is trusted to send one."""
    with Image.open(BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert("RGB"))


def as_png(image: NDArray[np.uint8]) -> str:
    """A picture (h, w, 3), or a grey one (h, w), as PNG in base64."""
    return base64.b64encode(png_of(image)).decode("ascii")


def png_of(image: NDArray[np.uint8]) -> bytes:
    """The same as the bytes of a file, which say nothing but the pixels."""
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def upload_as_png(name: str, value: object) -> str:
    """A part of an action as it travels.

    Args:
        name: of `UPLOADED`.
        value: a picture (h, w, 3) of 8 bits, or a mask (h, w) of 0 and 1.

    Raises:
        ActionError: if it is neither.
    """
    array = np.asarray(value)
    most, axes = (255, 3) if name == "picture" else (1, 2)
    whole = array.dtype.kind in "biu" and array.ndim == axes and array.shape[2:] in ((), (3,))
    if not whole or not array.size or array.min() < 0 or array.max() > most:
        shape = "(size, size, 3)" if name == "picture" else "(size, size)"
        raise ActionError(
            f"Expected {name!r} to hold whole numbers from 0 to {most}, of shape {shape}, got "
            f"{value!r}."
        )
    return as_png(array.astype(np.uint8) * (255 // most))
