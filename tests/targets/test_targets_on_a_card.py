"""Targets of every family on another device than the host's, loading and self-check included."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from miagym.noise import paired_noise
from miagym.targets.base import Target, Told
from miagym.targets.registry import load_target
from tests.pretended_card import PretendedCard
from tests.targets import loras
from tests.targets.models import FAMILIES, SIDE, write


def answers(target: Target) -> list[Tensor]:
    """Everything that a target can be asked, of two pictures; back on the host."""
    told = ["1", "0"] if target.told is Told.CLASS else ["a cat", "a dog"]
    channels = target.latent_shape[0]
    z, eps = (paired_noise(0, told, (channels, SIDE, SIDE), w).to(target.device) for w in "ze")
    noise = paired_noise(0, told, target.latent_shape, "noise").to(target.device)
    x = paired_noise(0, told, (3, target.resolution, target.resolution), "x").to(target.device)
    words = target.embed(told)
    found = [
        words,
        target.encode(x.clamp(-1, 1)),
        target.encode(x.clamp(-1, 1), noise),
        target.predict_noise(z, 100, told, 2.0 if target.can_be_guided else 1.0),
        target.predict_noise(z, [100, 200], words),
        target.ddim_move(z, eps, 100, 200),
        target.latent_gradient(z, 100, told, eps),
        target.parameter_gradient_norms(z[:, None], [100], told, eps[:, None]),
        target.generate(noise, told, 2, 1.0),
        target.vary(noise, noise, told, 0.5, 2, 1.0),
    ]
    return [answer.cpu() for answer in found]


@pytest.mark.parametrize("kind", ["cuda", "mps"])
@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_those_of_the_host(family: str, kind: str, tmp_path: Path) -> None:
    folder = str(write(FAMILIES[family], tmp_path / family))
    with PretendedCard(kind):
        target = load_target(folder, device=kind, dtype="float32")
        assert target.device.type == kind
        found = answers(target)
    for ours, host in zip(found, answers(load_target(folder, device="cpu")), strict=True):
        torch.testing.assert_close(ours, host, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_lora_is_put_on_where_the_model_is(kind: str, tmp_path: Path) -> None:
    base = write(FAMILIES["stable-diffusion"], tmp_path / "base")
    name = f"{base}+{loras.kohya(tmp_path, with_text=False)}:0.5"
    with PretendedCard(kind):
        found = answers(load_target(name, device=kind, dtype="float32"))
    for ours, host in zip(found, answers(load_target(name, device="cpu")), strict=True):
        torch.testing.assert_close(ours, host, rtol=1e-4, atol=1e-5)
