"""Degrade, restore, compare against its formula, and what it does to a picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attacks.black_box.degrade_restore import DegradeRestoreCompare
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees

MIDDLE = slice(16, 48)


def coarsened(picture: np.ndarray, blocks: int) -> np.ndarray:
    """A picture (64, 64, 3) with the mean of each block in the middle 32 × 32."""
    coarse, side = picture.astype(np.float64), 32 // blocks
    for top in range(16, 48, side):
        for left in range(16, 48, side):
            block = coarse[top : top + side, left : left + side]
            block[:] = block.mean((0, 1))
    return coarse


@pytest.mark.parametrize("blocks", [1, 4])
def test_formula(blocks: int, drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        coarse = coarsened(p.one.images[0], blocks)
        degraded = p.one.with_images(coarse.round().astype(np.uint8)[None])
        x = p.x.permute(1, 2, 0).numpy()
        lost = np.abs(x - coarse / 255)[MIDDLE, MIDDLE].mean()
        missing = 0.0
        for draw in range(2):
            restored = Plain(p.target, degraded).variation(0.6, 10, draw).permute(1, 2, 0).numpy()
            missing += np.abs(x - restored)[MIDDLE, MIDDLE].mean() / 2
        return -float(missing / (lost + 1 / 255))

    assert_agrees(DegradeRestoreCompare(draws=2, blocks=blocks), formula, drawings)


def test_only_the_middle_is_degraded() -> None:
    picture = torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    degraded = DegradeRestoreCompare().degraded(picture)
    same = (degraded == picture).all(1)[0]
    assert not same[MIDDLE, MIDDLE].any()
    same[MIDDLE, MIDDLE] = True
    assert same.all()


def test_a_flat_middle_has_nothing_to_restore(dummy: DummyTarget, drawings: Candidates) -> None:
    attack, images = DegradeRestoreCompare(), drawings.images[:4].copy()
    images[:, MIDDLE, MIDDLE] = 128
    flat = Candidates(images, drawings.captions[:4])
    pixels = Oracle(dummy).pixels(flat)
    torch.testing.assert_close(attack.degraded(pixels), pixels)
    assert np.isfinite(attack(Oracle(dummy), flat)).all()


def test_the_original_pays(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, few = Oracle(dummy), drawings[:3]
    attack = DegradeRestoreCompare()
    attack(oracle, few)
    assert oracle.meter.total() == attack.cost * 3
    assert all(oracle.meter.spent(key) == attack.cost for key in few.keys)
