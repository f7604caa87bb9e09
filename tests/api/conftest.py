"""A small world of its own: the dummy target, which has memorised half of some drawings."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from attacks import Attack
from miagym.candidates import Candidates
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.oracle import Access, Oracle


def encoded(pixels: np.ndarray) -> bytes:
    """A picture as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def small(drawings: Candidates, member: np.ndarray) -> Dataset:
    """20 + 20 drawings to calibrate by, and 20 + 20 to test."""
    return Dataset(
        name="small",
        pictures=[encoded(image) for image in drawings.images],
        captions=drawings.captions,
        member=member,
        part=np.where(np.arange(len(member)) % 2, TEST, CALIBRATION),
    )


@dataclass(frozen=True)
class Deblinder(Attack):
    """A grey attack of somebody's own, with a name that says blind."""

    access = Access.GREY

    timestep: int = 50

    def __call__(self, oracle: Oracle, candidates: Candidates) -> np.ndarray:
        z0 = oracle.encode(candidates)
        noise = oracle.noise(candidates, self.timestep)
        z_t = oracle.add_noise(z0, noise, self.timestep)
        error = oracle.predict_noise(candidates, z_t, self.timestep) - noise
        return -error.flatten(1).norm(dim=1).double().cpu().numpy()


@dataclass(frozen=True)
class Looks(Attack):
    """A blind attack of somebody's own, with a name that does not say so."""

    access = Access.BLIND

    def __call__(self, oracle: Oracle, candidates: Candidates) -> np.ndarray:
        return candidates.images.mean((1, 2, 3))
