"""How a picture and its caption look, in a few numbers that know nothing of any model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates

LOOKS = {
    "brightness": "brightness",
    "contrast": "contrast",
    "saturation": "saturation of colours",
    "saturation_spread": "spread of saturation",
    "white": "white area",
    "white_border": "white along the border",
    "black": "black area",
    "colours": "number of colours",
    "cast": "colour cast",
    "across": "change from left to right",
    "down": "change from top to bottom",
    "direction": "change across against down",
    "detail": "fine detail",
    "sharpness": "fine detail for its contrast",
    "flat": "flat area",
    "height": "height of what is not white",
    "width": "width of what is not white",
    "fine": "share of fine structure",
    "coarse": "share of coarse structure",
    "edges_across": "dark edges across",
    "edges_down": "dark edges down",
    "caption_length": "length of the caption",
    "caption_commas": "commas in the caption",
}
"""What is measured, and how people call it."""

_WHITE, _BLACK = 0.97, 0.06
_FINE, _COARSE = 0.25, 0.06
"""Spatial frequencies in cycles a pixel."""


def looks(candidates: Candidates) -> NDArray[np.float64]:
    """The `LOOKS` of each candidate (n, d); those of captions are 0 where there is none."""
    return np.array(
        [
            [*_of_picture(image), *_of_caption(caption)]
            for image, caption in zip(candidates.images, candidates.captions, strict=True)
        ]
    ).reshape(len(candidates), len(LOOKS))


def _of_caption(caption: str) -> Sequence[float]:
    words = len(caption.split())
    return [float(np.log1p(len(caption))), caption.count(",") / max(1, words)]


def _of_picture(image: NDArray[np.uint8]) -> Sequence[float]:
    """Of one picture (height, width, 3)."""
    x = image.astype(np.float64) / 255
    grey, most, least = x.mean(2), x.max(2), x.min(2)
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    detail = float(
        np.abs(np.diff(grey, 2, axis=0)[:, 1:-1] + np.diff(grey, 2, axis=1)[1:-1]).mean()
    )
    white, dark = least > _WHITE, (grey < 0.5).astype(np.float64)
    quantised = (image >> 4).astype(np.int64) @ np.array([256, 16, 1])
    a, d = float(np.abs(across).mean()), float(np.abs(down).mean())
    return [
        grey.mean(),
        grey.std(),
        (most - least).mean(),
        (most - least).std(),
        white.mean(),
        _border(white),
        (most < _BLACK).mean(),
        np.log(len(np.unique(quantised))),
        x.mean((0, 1)).std(),
        a,
        d,
        np.log((a + 0.01) / (d + 0.01)),
        detail,
        np.log((detail + 1e-3) / (grey.std() + 1e-3)),
        (np.abs(across) < 1 / 255).mean(),
        _extent(~white, axis=1),
        _extent(~white, axis=0),
        *_frequencies(grey),
        np.abs(np.diff(dark, axis=1)).mean(),
        np.abs(np.diff(dark, axis=0)).mean(),
    ]


def _border(mask: NDArray[np.bool_]) -> float:
    wide = max(1, min(mask.shape) // 32)
    inner = mask[wide:-wide, wide:-wide]
    return float((mask.sum() - inner.sum()) / (mask.size - inner.size))


def _extent(ink: NDArray[np.bool_], axis: int) -> float:
    """How far ink reaches along the other axis, as a share of the picture."""
    places = np.flatnonzero(ink.any(axis))
    return float((np.ptp(places) + 1) / ink.shape[1 - axis]) if len(places) else 0.0


def _frequencies(grey: NDArray[np.float64]) -> tuple[float, float]:
    """Shares of the power above `_FINE` and below `_COARSE`."""
    power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, grey.shape), indexing="ij"))
    total = power.sum() + 1e-9
    return float(power[radius > _FINE].sum() / total), float(power[radius < _COARSE].sum() / total)
