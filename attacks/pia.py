"""Proximal initialisation: the model's own noise prediction stands in for the noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from attacks.base import Attack, Scores, as_scores
from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.oracle import Oracle


@dataclass(frozen=True)
class PIA(Attack):
    """Proximal initialisation attack.

    Kong et al., ICLR 2024, arXiv 2305.18355. Faithful. (A known re-implementation puts Gaussian
    noise in the place of e0, which is the loss attack; another feeds latents through the map that
    belongs to pixels.)

    Score: e0 = E(z0, 0, c), z_t = sqrt(ab_t) z0 + sqrt(1 - ab_t) e0, -||e0 - E(z_t, t, c)||_p.

    Costs 2 UNet rows and 1 encode.

    Args:
        timestep: t.
        norm: p.
    """

    access = Access.GREY
    paper = "Kong et al. 2024, arXiv 2305.18355"

    timestep: int = 200
    norm: float = 4.0

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z0 = oracle.encode(candidates)
        e0 = oracle.predict_noise(candidates, z0, 0)
        z_t = oracle.add_noise(z0, e0, self.timestep)
        difference = e0 - oracle.predict_noise(candidates, z_t, self.timestep)
        return as_scores(-difference.flatten(1).norm(p=self.norm, dim=1))

    @property
    def cost(self) -> Cost:
        return Cost(queries=3, unet_rows=2, encodes=1)

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 100, 300))
