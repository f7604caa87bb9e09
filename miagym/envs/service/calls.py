"""Calls to a service: prompt, upload, strength, and what is asked of the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.envs.state.moves import Moves

SEEDS = 1000
"""Seeds that a caller may choose from, where a service has them."""


@dataclass(frozen=True, eq=False)
class Call:
    """Call to a service."""

    kind: str
    """"text-to-image", "image-to-image" or "inpainting"."""
    prompt: str
    pictures: int
    """How many to bring."""
    upload: NDArray[np.uint8] | None = None
    """What an image to image, or an inpainting, begins from (size, size, 3)."""
    mask: NDArray[np.bool_] | None = None
    """Of an inpainting (size, size): true where it paints."""
    strength: float = 1.0
    """Of either."""
    seed: int | None = None
    """Of the noise, where the caller chooses it."""
    guidance: float | None = None
    """Where the caller chooses it; 1 is off."""


@dataclass(frozen=True)
class ServiceMoves(Moves):
    """Actions of k episodes in a step; their only slot holds a call."""

    calls: tuple[Call, ...]
    """Of each episode (k)."""
