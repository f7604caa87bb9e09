"""Samples of both sets, as the paper shows them: what an attacker is to tell apart."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from PIL import Image

from miagym.data.dataset import TEST
from miagym.data.registry import load_data

SIDE = 96
"""Pixels."""
SHOWN = 8
"""Of each side."""


@dataclass(frozen=True)
class PaperSample:
    """A picture as a data URI, and its caption."""

    uri: str
    caption: str


def samples(data: str, limit: int, seed: int) -> tuple[list[PaperSample], list[PaperSample]]:
    """The first members and non-members that a run asks about, in its own order.

    Args:
        data: as `load_data` takes it.
        limit: of the run.
        seed: of the run.
    """
    known = load_data(data)
    rows = known.rows(TEST, seed, limit)
    sides = []
    for member in (True, False):
        loaded = known.load(rows[known.member[rows] == member][:SHOWN], SIDE)
        drawn = zip(loaded.candidates.images, loaded.candidates.captions, strict=True)
        sides.append(
            [PaperSample(_uri(Image.fromarray(image)), caption) for image, caption in drawn]
        )
    return sides[0], sides[1]


def _uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
