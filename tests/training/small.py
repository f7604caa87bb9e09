"""Small data to train on, and a training that shows nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image


def silent(steps: range, label: str) -> Iterable[int]:
    """Progress of a training, untold."""
    return steps


def draw_sides(folder: Path, each: int, cells: int = 2) -> Path:
    """Draws so many members, and as many others, of coloured cells; gives the folder."""
    rng = np.random.default_rng(0)
    for side in ("members", "nonmembers"):
        (folder / side).mkdir(parents=True)
        for i in range(each):
            pixels = np.kron(rng.integers(0, 256, (cells, cells, 3)), np.ones((8, 8, 1)))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / side / f"{i}.png")
    return folder
