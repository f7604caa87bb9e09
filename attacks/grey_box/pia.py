"""Proximal initialisation: the model's own noise prediction stands in for the noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import Tensor

from attacks.base import Attack
from attacks.residual import ResidualAttack
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class PIA(ResidualAttack):
    """Proximal initialisation: distance of the noise predicted at t from that at 0, used as noise.

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

    def residuals(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        z0 = oracle.encode(candidates)
        e0 = self.as_noise(oracle.predict_noise(candidates, z0, 0))
        z_t = oracle.add_noise(z0, e0, self.timestep)
        return (e0 - oracle.predict_noise(candidates, z_t, self.timestep))[None]

    def size(self, residuals: Tensor) -> Tensor:
        return residuals[0].flatten(1).norm(p=self.norm, dim=1)

    def as_noise(self, e0: Tensor) -> Tensor:
        """What of the prediction at t = 0 (n, *latent_shape) serves as noise: all of it."""
        return e0

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 100, 300))


@dataclass(frozen=True)
class PIAN(PIA):
    """PIA with e0 normalised, so that its mean absolute value is that of standard normal noise.

    Kong et al., ICLR 2024, arXiv 2305.18355. Faithful to the intent: the factor is sqrt(2/pi), the
    mean absolute value of N(0, 1), where the printed Eq. 10 and a port of it have sqrt(pi/2).

    Score: as PIA, with e0 = sqrt(2/pi) E(z0, 0, c) / mean|E(z0, 0, c)|.

    Costs 2 UNet rows and 1 encode; E(z0, 0, c) is PIA's own question.
    """

    def as_noise(self, e0: Tensor) -> Tensor:
        scale = math.sqrt(2 / math.pi) / e0.flatten(1).abs().mean(1)
        return e0 * scale.view(-1, *[1] * (e0.ndim - 1))
