"""CLiD: members profit more from their own caption."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from attacks.base import Attack, Scores, as_scores, mean_square
from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.oracle import Oracle


@dataclass(frozen=True)
class CLiD(Attack):
    """Conditional likelihood discrepancy, with the empty prompt as the only reduced prompt.

    Zhai et al., NeurIPS 2024, arXiv 2405.14800. Simplified: one reduced prompt of the paper's four,
    one timestep, and the discrepancy alone, which is the paper's score at alpha = 1.

    Score: mean over draws of mse(E(z_t, t, ""), eps) - mse(E(z_t, t, c), eps), with one eps.

    Costs 2 UNet rows a draw and 1 encode.

    Args:
        timestep: t.
        draws: draws of noise.
    """

    access = Access.GREY
    paper = "Zhai et al. 2024, arXiv 2405.14800"

    timestep: int = 400
    draws: int = 2

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z0 = oracle.encode(candidates)
        gains = []
        for draw in range(self.draws):
            eps = oracle.noise(candidates, self.timestep, draw)
            z_t = oracle.add_noise(z0, eps, self.timestep)
            conditional = oracle.predict_noise(candidates, z_t, self.timestep)
            unconditional = oracle.predict_noise(candidates, z_t, self.timestep, prompts="")
            gains.append(mean_square(unconditional - eps) - mean_square(conditional - eps))
        return as_scores(torch.stack(gains).mean(0))

    @property
    def cost(self) -> Cost:
        return Cost(queries=1, encodes=1) + Cost(queries=2, unet_rows=2) * self.draws

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 200))
