"""What an agent uploads and writes: pictures and prompts made from a candidate's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.remote.services import right_half

Picture = NDArray[np.uint8]
MASKED, NOISE, HALF = 127, 32, 0.5
"""Grey of what is masked; standard deviation of noise, of 255; weight of either in a blend."""


@dataclass(frozen=True, eq=False)
class UploadSample:
    """Picture (size, size, 3), 8 bit, and its caption."""

    picture: Picture
    caption: str


def original(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture.copy()


def turned(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture turned by 90°, its own reference: as hard to draw, and never trained on."""
    return np.ascontiguousarray(np.rot90(picture))


def mirrored(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.ascontiguousarray(picture[:, ::-1])


def masked(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture with its right half in grey: a model that knows it may draw what is missing."""
    hidden = picture.copy()
    hidden[right_half(len(picture)) == 1] = MASKED
    return hidden


def noised(picture: Picture, rng: np.random.Generator) -> Picture:
    noisy = picture + rng.normal(0, NOISE, picture.shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


def blended(picture: Picture, other: Picture) -> Picture:
    """Half the picture and half another one."""
    return (HALF * picture + (1 - HALF) * other).round().astype(np.uint8)


def cut(caption: str) -> str:
    """The first half of a caption's words, at least one."""
    words = caption.split()
    return " ".join(words[: max(1, len(words) // 2)])


def reworded(caption: str) -> str:
    """The words of a caption the other way round."""
    return " ".join(reversed(caption.split()))


UPLOADS: Mapping[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "original": original,
    "turned": turned,
    "mirrored": mirrored,
    "masked": masked,
    "noised": noised,
}
"""Uploads by name, but for "blended", which needs another picture."""

PROMPTS: Mapping[str, Callable[[str], str]] = {
    "caption": lambda caption: caption,
    "reworded": reworded,
    "cut": cut,
    "empty": lambda caption: "",
}
"""Prompts by name, but for "another", which is another picture's caption."""

BLENDED, ANOTHER = "blended", "another"
