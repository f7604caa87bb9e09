"""Inpainting: what is hidden is painted anew, and what is not stays the picture's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from miagym.candidates import Candidates
from miagym.errors import AccessDenied, DataError
from miagym.oracle import Cost, Oracle
from miagym.targets.base import FINAL
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain

RIGHT = np.zeros((64, 64), dtype=bool)
RIGHT[:, 32:] = True


def masks(n: int, one: np.ndarray = RIGHT) -> np.ndarray:
    return np.broadcast_to(one, (n, 64, 64))


def test_what_is_not_hidden_stays(dummy: DummyTarget, drawings: Candidates) -> None:
    few = drawings[60:64]  # of which the model knows none
    oracle = Oracle(dummy)
    kept = oracle.decode(few, oracle.encode(few))
    painted = oracle.inpaint(few, masks(4), steps=5, guidance_scale=1.0)
    torch.testing.assert_close(painted[..., :32], kept[..., :32])
    assert (painted[..., 32:] - kept[..., 32:]).abs().amax((1, 2, 3)).min() > 0.01
    none = oracle.inpaint(few, masks(4, RIGHT & False), steps=5, guidance_scale=1.0)
    torch.testing.assert_close(none, kept)


def test_where_all_is_hidden_it_is_a_variation(dummy: DummyTarget, drawings: Candidates) -> None:
    few, told = drawings[38:42], {"strength": 0.6, "steps": 5, "draw": 3}
    oracle = Oracle(dummy)
    all_of_it = oracle.inpaint(few, masks(4, RIGHT | True), **told)
    torch.testing.assert_close(all_of_it, oracle.vary(few, **told))


def test_formula(drawings: Candidates) -> None:
    """By hand, one picture at a time: after each move the visible part is noised to its level."""
    target, few = DummyTarget(drawings[:10]), drawings[8:12]
    hidden = torch.zeros(1, 1, 16, 16)
    hidden[..., 8:] = 1
    hidden[..., 4, 3] = 1  # of the one pixel below

    def formula(p: Plain) -> torch.Tensor:
        noise = p.noise_of("vary", 0)
        timesteps = p.target.timesteps(5)[2:]  # three steps of five
        z = p.noised(noise, timesteps[0])
        for t, following in zip(timesteps, [*timesteps[1:], FINAL], strict=True):
            z = hidden * p.phi(z, t, following) + (1 - hidden) * p.noised(noise, following)
        return p.decode(hidden * z + (1 - hidden) * p.z0)

    mask = RIGHT.copy()
    mask[18, 13] = True
    told = {"strength": 0.6, "steps": 5, "guidance_scale": 1.0}
    painted = Oracle(target).inpaint(few, masks(4, mask), **told)
    expected = torch.stack([formula(Plain(target, few[[i]])) for i in range(4)])
    torch.testing.assert_close(painted, expected, rtol=1e-4, atol=1e-5)


def test_each_mask_is_a_question_of_its_own(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, few = Oracle(dummy), drawings[38:40]
    both = np.stack([RIGHT, RIGHT[:, ::-1]])
    together = oracle.inpaint(few, both, steps=4)
    swapped = oracle.inpaint(few, both[::-1], steps=4)
    assert not torch.allclose(together, swapped)
    alone = Oracle(dummy).inpaint(few[1:], both[1:], steps=4)
    torch.testing.assert_close(alone, together[1:])
    assert oracle.meter.total() == 4 * Cost(queries=1, unet_rows=8, encodes=1, decodes=1)


def test_what_is_no_mask_is_refused_for_nothing(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, few = Oracle(dummy, "black"), drawings[:2]
    wrongs: list[Any] = [masks(1), masks(2).astype(np.float32), masks(2)[:, :32]]
    for wrong in wrongs:
        with pytest.raises(DataError, match=r"masks of true and false, of shape \(2, 64, 64\)"):
            oracle.inpaint(few, wrong)
    assert oracle.meter.total() == Cost()
    with pytest.raises(AccessDenied, match="paints into no images"):
        Oracle(dummy, "black", variation=False).inpaint(few, masks(2))


def test_every_family_can(dummy: DummyTarget) -> None:
    """The clip-art autoencoder reaches over the edge of the mask by a few pixels only."""
    noise = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    oracle, one = Oracle("clipart-realistic"), Candidates(noise, ("a cat",))
    kept = oracle.decode(one, oracle.encode(one))
    painted = oracle.inpaint(one, masks(1), steps=4, guidance_scale=1.0)
    changed = (painted - kept).abs().amax((0, 1))
    assert changed[:, :8].mean() < 0.2 * changed[:, 40:].mean()
