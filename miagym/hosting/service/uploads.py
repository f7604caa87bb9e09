"""Uploads of players: PNG of the right size, checked before anything of it is unpacked."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.errors import ActionError
from miagym.remote.pictures import UPLOADED

HEADER = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
"""How every PNG begins; width and height follow."""
MAX_PIXEL, MAX_REST = 8, 4096
"""Bytes of a pixel in 16 bits with transparency, and of whatever else is in a file: a ledger keeps
what is uploaded, and no room is wasted there."""
WHITE = 128
"""From here on a mask counts as white."""


def unpacked(action: Mapping[str, Any], side: int) -> dict[str, Any]:
    """An action whose pictures have arrived as PNG in base64.

    Args:
        action: as it travels.
        side: of its pictures in pixels.

    Raises:
        ActionError: if one is no such picture.
    """
    return {
        name: _unpacked(name, value, side) if name in UPLOADED else value
        for name, value in action.items()
    }


def _unpacked(name: str, value: object, side: int) -> NDArray[Any]:
    """A picture (side, side, 3), 8 bit, or a mask (side, side) of 0 and 1."""
    refusal = ActionError(f"Expected {name!r} as a PNG of {side}x{side} pixels, in base64.")
    most = 4 * (side * side * MAX_PIXEL + MAX_REST) // 3
    try:
        if not isinstance(value, str) or len(value) > most:
            raise refusal
        data = base64.b64decode(value, validate=True)
        if not data.startswith(HEADER + struct.pack(">II", side, side)):
            raise refusal
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            if image.size != (side, side):  # of two headers the last one counts
                raise refusal
            if name == "picture":
                return np.asarray(image.convert("RGB"))
            return (np.asarray(image.convert("L")) >= WHITE).astype(np.int8)
    except ActionError:
        raise
    except Exception as error:  # there is no end to what Pillow raises at a file that is broken
        raise refusal from error
