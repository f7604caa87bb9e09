"""Small folders of labelled pictures, as people have them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIDES = {"members": 0, "nonmembers": 100}
"""The number of the first picture of each side."""
N = 4

Beside = Callable[[Path, str], None]
"""Writes the caption of a picture beside it."""


def encoded(seed: int, kind: str = "PNG") -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


def caption_of(number: int) -> str:
    return f'a drawing, number "{number}"'


def no_caption(picture: Path, caption: str) -> None:
    """Leaves a picture without one."""


def txt(picture: Path, caption: str) -> None:
    """What miagym and most trainers read."""
    picture.with_suffix(".txt").write_text(caption, encoding="utf-8")


def folder(root: Path, beside: Beside = txt, suffix: str = ".png", n: int = N) -> Path:
    """Pictures on both sides, each with what `beside` writes."""
    for side, first in SIDES.items():
        (root / side).mkdir(parents=True)
        for number in range(first, first + n):
            picture = root / side / f"{number:03}{suffix}"
            picture.write_bytes(encoded(number))
            beside(picture, caption_of(number))
    return root


def captions(n: int = N) -> tuple[str, ...]:
    """Of all pictures, members first."""
    return tuple(caption_of(i) for first in SIDES.values() for i in range(first, first + n))
