"""SimA: the predicted noise of a clean training picture is small."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from attacks.base import Attack
from attacks.residual import ResidualAttack
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class SimA(ResidualAttack):
    """Score-based membership inference: the size of the noise predicted for a clean latent.

    Rao, Qu, Moyer, arXiv 2509.25003. Faithful; t is chosen on calibration data, where the reference
    code reports the best t on the test data with non-members as positives.

    Score: -||E(z0, t, c)||_p: the latent enters without noise, whatever t the model is told.

    Costs 1 UNet row and 1 encode.

    Args:
        timestep: t.
        norm: p.
    """

    access = Access.GREY
    paper = "Rao et al. 2025, arXiv 2509.25003"

    timestep: int = 100
    norm: float = 4.0

    def residuals(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        z0 = oracle.encode(candidates)
        return oracle.predict_noise(candidates, z0, self.timestep)[None]

    def size(self, residuals: Tensor) -> Tensor:
        return residuals[0].flatten(1).norm(p=self.norm, dim=1)

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 0, 50, 200))
