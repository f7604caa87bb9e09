"""The contract of targets holds for all of ours, and tells those that break it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import torch

from miagym.candidates import Candidates
from miagym.targets import contract
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


class OneChannel(DummyTarget):
    def predict_noise(self, latents, *asked):  # type: ignore[no-untyped-def]
        return super().predict_noise(latents, *asked)[:, :1]


BROKEN = {
    Unpaired: "Expected equal answers of predict_noise to an equal question, got others",
    ByTheBatch: "Expected that predict_noise of one latent is that of a batch, got another",
    Bright: r"Expected pictures of decode from -1 to 1, got [\d.]+; clamp them",
    OneChannel: r"Expected an answer of predict_noise of shape \(4, 3, \d+, \d+\), "
    r"got \(4, 1, \d+, \d+\)",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_breaks_it_is_told(kind: type[DummyTarget], drawings: Candidates) -> None:
    with pytest.raises(AssertionError, match=BROKEN[kind]):
        check_target(kind(drawings[:4]))


def test_every_assertion_of_it_carries_a_sentence() -> None:
    """An assert without one is an empty message outside of pytest."""
    tree = ast.parse(inspect.getsource(contract))
    asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert len(asserts) > 10 and all(node.msg for node in asserts)
