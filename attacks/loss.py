"""Loss threshold: members are denoised better."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from attacks.base import Attack, Scores, as_scores, mean_square
from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.oracle import Oracle


@dataclass(frozen=True)
class LossThreshold(Attack):
    """Denoising loss at one timestep, averaged over draws of noise.

    Carlini et al., Extracting Training Data from Diffusion Models, USENIX Security 2023, arXiv
    2301.13188; Matsumoto et al., arXiv 2302.03262. Faithful, with paired noise: a fresh draw for
    each image, as in the reference code, makes few draws very noisy.

    Score: -mean over draws of mse(E(z_t, t, c), eps).

    Args:
        timestep: t.
        draws: draws of noise; each costs 1 UNet row, besides 1 encode.
    """

    access = Access.GREY
    paper = "Carlini et al. 2023, arXiv 2301.13188"

    timestep: int = 200
    draws: int = 3

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z0 = oracle.encode(candidates)
        losses = []
        for draw in range(self.draws):
            eps = oracle.noise(candidates, self.timestep, draw)
            z_t = oracle.add_noise(z0, eps, self.timestep)
            losses.append(mean_square(oracle.predict_noise(candidates, z_t, self.timestep) - eps))
        return as_scores(-torch.stack(losses).mean(0))

    @property
    def cost(self) -> Cost:
        return Cost(queries=1, encodes=1) + Cost(queries=1, unet_rows=1) * self.draws

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 100, 400))
