"""View of pixels: colour, layout, sharpness, noise, frequencies, and traces of JPEG blocks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import convolve

from miagym.auditing.views.view import View, tabular
from miagym.data.images import to_square

THUMBNAIL_SIDE = 64
"""Side, in pixels, of the small copy that colours are measured on."""

MAX_DETAIL_SIDE = 512
"""Longest side, in pixels, of the piece that is looked at unscaled, on the grid of JPEG blocks."""

BLOCK = 8
DIAGONAL = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)).ravel()
"""Of a coefficient in a block: the larger, the finer; JPEG coarsens the fine ones most."""

VANISHING = 0.5
"""In grey levels: what rounding of pixels leaves of a coefficient that was set to 0."""

GRID = 4
BANDS = 8

NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
"""Blind to planes and to straight edges along the axes (Immerkær 1996)."""

LAPLACE = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float32)


def pixel_measures(picture: Image.Image) -> NDArray[np.float64]:
    """Measures a picture: some 80 numbers (m,), of which `measure_names` tells the names."""
    return np.array(list(_by_name(picture).values()))


@cache
def measure_names() -> tuple[str, ...]:
    """Readable names of the measures (m), the same for every picture."""
    return tuple(_by_name(Image.new("RGB", (BLOCK, BLOCK))))


def pixel_view(measured: Sequence[NDArray[np.float64]], rows: NDArray[np.intp]) -> View | None:
    """View of the pictures of some rows, from the measures of each."""
    columns = dict(zip(measure_names(), np.array(measured).T, strict=True))
    return tabular("pixels", rows, columns, {})


def _by_name(picture: Image.Image) -> dict[str, float]:
    return colours(to_square(picture, THUMBNAIL_SIDE)) | details(_unscaled(picture))


def colours(small: NDArray[np.uint8]) -> dict[str, float]:
    """Colour and layout of a small square picture (64, 64, 3)."""
    x = small.astype(np.float32) / 255
    grey = x.mean(axis=2)
    cells = grey.reshape(GRID, THUMBNAIL_SIDE // GRID, GRID, THUMBNAIL_SIDE // GRID).mean(
        axis=(1, 3)
    )
    codes = small.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    measures = {
        "mean brightness": grey.mean(),
        "contrast": grey.std(),
        "mean saturation": np.ptp(x, axis=2).mean(),
        "share of white": (small == 255).all(axis=2).mean(),
        "share of black": (small == 0).all(axis=2).mean(),
        "number of colours": len(np.unique(codes)),
    }
    means, spreads = x.mean(axis=(0, 1)), x.std(axis=(0, 1))
    for channel, name in enumerate(("red", "green", "blue")):
        measures[f"mean {name}"] = means[channel]
        measures[f"spread of {name}"] = spreads[channel]
    for (row, column), value in np.ndenumerate(cells):
        measures[f"brightness of cell {row + 1}, {column + 1} of {GRID} × {GRID}"] = value
    return {name: float(value) for name, value in measures.items()}


def details(grey: NDArray[np.float32]) -> dict[str, float]:
    """Sharpness, noise and frequencies of an unscaled grey square (s, s), in 0 to 255."""
    across = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    down = np.abs(np.diff(grey, axis=0)).mean(axis=1)
    measures = {
        "sharpness": np.log1p(convolve(grey, LAPLACE, mode="nearest").var()),
        "noise": np.log1p(np.abs(convolve(grey, NOISE, mode="nearest")).mean()),
        "mean step across": across.mean(),
        "mean step down": down.mean(),
        "step at borders of 8 × 8 blocks": _border_step(across) + _border_step(down),
    }
    for band, power in enumerate(_radial_power(grey), start=1):
        measures[f"power in frequency band {band} of {BANDS}"] = power
    side = len(grey) // BLOCK
    blocks = grey.reshape(side, BLOCK, side, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    sizes = np.abs(np.asarray(dctn(blocks, axes=(1, 2), norm="ortho")))
    for name, of_each in (
        ("mean DCT coefficient", sizes.mean(axis=0)),
        ("share of vanishing DCT coefficients", (sizes < VANISHING).mean(axis=0)),
    ):
        by_diagonal = np.bincount(DIAGONAL, of_each.ravel()) / np.bincount(DIAGONAL)
        measures |= {f"{name} {d}": by_diagonal[d] for d in range(1, len(by_diagonal))}
    return {name: float(value) for name, value in measures.items()}


def _border_step(steps: NDArray[np.float32]) -> float:
    """How much larger the steps (s - 1,) at borders of blocks are than those within (log)."""
    borders = np.arange(len(steps)) % BLOCK == BLOCK - 1
    if not borders.any():
        return 0.0
    return float(np.log1p(steps[borders].mean()) - np.log1p(steps[~borders].mean()))


def _radial_power(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean log power (8,) in rings of the spectrum, from low to high frequency."""
    power = np.log1p(np.abs(np.fft.rfft2(grey - grey.mean())) / len(grey))
    y, x = np.fft.fftfreq(len(grey)), np.fft.rfftfreq(len(grey))
    ring = np.minimum(np.hypot(y[:, None], x) * 2 * BANDS, BANDS - 1).astype(int).ravel()
    return np.bincount(ring, power.ravel(), BANDS) / np.maximum(np.bincount(ring, None, BANDS), 1)


def _unscaled(picture: Image.Image) -> NDArray[np.float32]:
    """The grey middle of a picture (s, s), cut along JPEG's blocks and not resampled.

    A picture of less than 8 pixels is enlarged: it holds no block to look at.
    """
    shorter = min(picture.size)
    side = min(MAX_DETAIL_SIDE, max(BLOCK, shorter // BLOCK * BLOCK))
    if shorter >= BLOCK:
        left, top = ((length - side) // 2 // BLOCK * BLOCK for length in picture.size)
        picture = picture.crop((left, top, left + side, top + side))
    return to_square(picture, side).astype(np.float32).mean(axis=2)
