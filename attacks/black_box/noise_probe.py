"""Noise as a probe: from the noise that the public base has for a picture, a member comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from attacks.base import Attack, Scores, as_scores, require_captions, require_positive
from miagym.oracle import FINAL, Access, Candidates, Oracle, TargetError


@dataclass(frozen=True)
class NoiseProbe(Attack):
    """Inverts a picture to noise under the public base, and lets the target draw from that noise.

    "Noise as a Probe", arXiv 2601.21628. After its abstract; steps and guidance are ours, and its
    distance, a learned one, is the mean square of pixels here. The black box has to let the noise
    be chosen that it begins with, as an open pipeline does and few services.

    Score: eps* = DDIM inversion of E(x) under the base and the caption, -mean((x - G(eps*, c))²),
    where G is the target's own text to image.

    Costs 1 decode and `steps` UNet rows, twice that with guidance; what the base is asked is free.

    Args:
        steps: DDIM steps, up under the base and down under the target.
        guidance_scale: classifier-free guidance of the target; 1 is off.
    """

    access = Access.BLACK
    paper = "Noise as a Probe 2026, arXiv 2601.21628"
    uses_reference = True

    steps: int = 10
    guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        require_positive(self, "steps")

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        if oracle.reference is None:
            raise TargetError(
                "NoiseProbe inverts pictures under a public reference model; name one as the "
                "reference, or give the oracle one."
            )
        require_captions(candidates, self)
        drawn = oracle.generate(
            candidates,
            initial=noise_leading_to(oracle.reference, candidates, self.steps),
            steps=self.steps,
            guidance_scale=self.guidance_scale,
        )
        return as_scores(-(drawn - oracle.pixels(candidates)).square().flatten(1).mean(1))

    def variants(self) -> tuple[Attack, ...]:
        scales = dict.fromkeys((self.guidance_scale, 3.0))
        return tuple(replace(self, guidance_scale=scale) for scale in scales)


def noise_leading_to(base: Oracle, candidates: Candidates, steps: int) -> Tensor:
    """Noise (n, *latent_shape) from which DDIM leads back to the candidates in so many steps.

    Each move up is undone by a move down from the same timestep, but for what the prediction
    differs between the two ends.
    """
    z, below = base.encode(candidates), FINAL
    for timestep in reversed(base.timesteps(steps)):
        eps = base.predict_noise(candidates, z, timestep)
        z, below = base.ddim_move(z, eps, below, timestep), timestep
    return z
