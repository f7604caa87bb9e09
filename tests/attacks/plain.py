"""Formulas by hand: one image at a time, straight from the symbols, against the target itself.

No oracle, no batch, no cache. Each attack's own test writes its formula with this notation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from attacks.base import Attack
from miagym.candidates import Candidates
from miagym.noise import paired_noise
from miagym.oracle import Oracle
from miagym.targets.base import FINAL
from miagym.targets.dummy import DummyTarget


class Plain:
    """A target asked by hand about one candidate."""

    def __init__(self, target: DummyTarget, one: Candidates) -> None:
        self.target, self.one = target, one
        self.caption = one.captions[0]
        self.x = torch.from_numpy(one.images[0].transpose(2, 0, 1).astype(np.float32)) / 255
        self.z0 = self.encode(self.x)

    def encode(self, x: Tensor) -> Tensor:
        """(1, c, h, w) of an image (3, size, size) in [0, 1]."""
        return self.target.encode(x[None] * 2 - 1)

    def decode(self, z: Tensor) -> Tensor:
        """(3, size, size) in [0, 1] of a latent (1, c, h, w)."""
        return self.target.decode(z)[0] / 2 + 0.5

    def ab(self, t: int) -> float:
        target = self.target
        return target.level(t).signal ** 2

    def eps(self, z: Tensor, t: int, prompt: str | None = None) -> Tensor:
        return self.target.predict_noise(z, t, [self.caption if prompt is None else prompt])

    def noise(self, t: int, draw: int = 0) -> Tensor:
        """The paired noise (1, c, h, w) of seed 0."""
        return self.noise_of("latent", t, draw)

    def noise_of(self, *what: object) -> Tensor:
        return paired_noise(0, self.one.keys, self.target.latent_shape, *what)

    def noised(self, eps: Tensor, t: int, z0: Tensor | None = None) -> Tensor:
        z0 = self.z0 if z0 is None else z0
        return self.ab(t) ** 0.5 * z0 + (1 - self.ab(t)) ** 0.5 * eps

    def phi(self, z: Tensor, s: int, t: int, guidance: float = 1.0) -> Tensor:
        """The DDIM move."""
        eps = self.eps(z, s)
        if guidance != 1:
            empty = self.eps(z, s, "")
            eps = empty + guidance * (eps - empty)
        x0 = (z - (1 - self.ab(s)) ** 0.5 * eps) / self.ab(s) ** 0.5
        return self.ab(t) ** 0.5 * x0 + (1 - self.ab(t)) ** 0.5 * eps

    def denoise(self, z: Tensor, timesteps: list[int], guidance: float = 1.0) -> Tensor:
        """DDIM down the timesteps to the end."""
        for t, following in zip(timesteps, [*timesteps[1:], FINAL], strict=True):
            z = self.phi(z, t, following, guidance)
        return z

    def variation(self, strength: float, steps: int, draw: int, guidance: float = 1.0) -> Tensor:
        """(3, size, size), as the black box varies the image."""
        timesteps = self.target.timesteps(steps)[steps - max(1, int(strength * steps)) :]
        z = self.noised(self.noise_of("vary", draw), timesteps[0])
        return self.decode(self.denoise(z, timesteps, guidance))

    def generation(self, steps: int, draw: int, guidance: float = 1.0) -> Tensor:
        """(3, size, size), as the black box follows the caption."""
        z = self.noise_of("generate", draw)
        return self.decode(self.denoise(z, self.target.timesteps(steps), guidance))


def few_of(drawings: Candidates) -> tuple[DummyTarget, Candidates]:
    """A target that knows 10 drawings, and 8 candidates of which it knows 4."""
    return DummyTarget(drawings[:10]), drawings[6:14]


def assert_agrees(
    attack: Attack, formula: Callable[[Plain], float], drawings: Candidates, rtol: float = 1e-4
) -> None:
    """Scores through the oracle are those of the formula."""
    target, few = few_of(drawings)
    scores = attack(Oracle(target), few)
    plain = [formula(Plain(target, few[[i]])) for i in range(len(few))]
    assert np.ptp(plain) > 0, "the formula tells nobody apart, so that it tests nothing"
    np.testing.assert_allclose(scores, plain, rtol=rtol, atol=1e-6)


def assert_features_agree(
    attack: Attack, formula: Callable[[Plain], list[float]], drawings: Candidates
) -> None:
    """A learned attack's features through the oracle are those of the formula."""
    target, few = few_of(drawings)
    features = attack.features(Oracle(target), few)  # type: ignore[attr-defined]
    plain = [formula(Plain(target, few[[i]])) for i in range(len(few))]
    np.testing.assert_allclose(features, plain, rtol=1e-4, atol=1e-5)
