"""The contract of targets holds for all of ours, and tells those that break it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from miagym.candidates import Candidates
from miagym.targets.contract import check_target
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import load_target
from tests.targets.models import FAMILIES, pixels, write
from tests.tiers import mostly_slow

LARGE = ("flux-dev", "flux-schnell")
"""Pictures of 256 pixels, by which `test_families` is slow enough."""


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        [name for name in FAMILIES if name not in LARGE],
        quick=["stable-diffusion-xl", "stable-diffusion-3", "dit", "pixels"],
    ),
)
def test_every_family_keeps_it(name: str, tmp_path: Path) -> None:
    check_target(load_target(str(write(FAMILIES[name], tmp_path / name))))


def test_pixels_with_classes_keep_it(tmp_path: Path) -> None:
    check_target(load_target(str(write(lambda: pixels(classes=3), tmp_path / "model"))))


def test_the_dummy_keeps_it(drawings: Candidates) -> None:
    check_target(DummyTarget(drawings[:4]))


@pytest.mark.parametrize("name", ["clipart-realistic", "clipart-overfit@40"])
def test_the_embedded_ones_keep_it(name: str) -> None:
    check_target(load_target(name))


class Unpaired(DummyTarget):
    def predict_noise(self, latents, *asked):  # type: ignore[no-untyped-def]
        return super().predict_noise(latents, *asked) + 1e-2 * torch.randn_like(latents)


class ByTheBatch(DummyTarget):
    def predict_noise(self, latents, *asked):  # type: ignore[no-untyped-def]
        return super().predict_noise(latents, *asked) + latents.mean()


class Bright(DummyTarget):
    def decode(self, latents):  # type: ignore[no-untyped-def]
        return super().decode(latents) + 1


@pytest.mark.parametrize("kind", [Unpaired, ByTheBatch, Bright])
def test_what_breaks_it_is_told(kind: type[DummyTarget], drawings: Candidates) -> None:
    with pytest.raises(AssertionError):
        check_target(kind(drawings[:4]))
