"""Pictures as they travel: PNG in base64."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def from_png(text: str) -> NDArray[np.uint8]:
    """A picture (h, w, 3) of a host's, which is trusted to send one."""
    with Image.open(BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert("RGB"))


def as_png(image: NDArray[np.uint8]) -> str:
    """A picture (h, w, 3), or a grey one (h, w), as PNG in base64."""
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, "PNG", compress_level=1)
    return base64.b64encode(stream.getvalue()).decode("ascii")
