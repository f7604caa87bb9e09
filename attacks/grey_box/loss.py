"""Loss threshold: members are denoised better."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attacks.base import Attack, Scores, as_scores, mean_square, require_positive
from miagym.oracle import Access, Candidates, Oracle


def denoising_loss(
    oracle: Oracle, candidates: Candidates, z0: Tensor, timestep: int, draw: int = 0
) -> Tensor:
    """mse(E(z_t, t, c), eps) (n,) under the paired noise of this draw. 1 query, 1 UNet row."""
    eps = oracle.noise(candidates, timestep, draw)
    z_t = oracle.add_noise(z0, eps, timestep)
    return mean_square(oracle.predict_noise(candidates, z_t, timestep) - eps)


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

    def __post_init__(self) -> None:
        require_positive(self, "draws")

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z0 = oracle.encode(candidates)
        draws = range(self.draws)
        losses = [denoising_loss(oracle, candidates, z0, self.timestep, draw) for draw in draws]
        return as_scores(-torch.stack(losses).mean(0))

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 100, 400))


@dataclass(frozen=True)
class MultipleLoss(Attack):
    """Denoising loss averaged over many timesteps, one draw of noise at each.

    Dubiński et al., CDI, CVPR 2025, arXiv 2411.12858, where the ten losses are features of a
    regression; Matsumoto et al., arXiv 2302.03262, sweep timesteps likewise. Simplified: the plain
    mean of squared errors, which needs no labels. The code of Matsumoto et al. divides each loss by
    its mean over test members, or reports the best timestep on test data: both need test labels.

    Score: -mean over timesteps of mse(E(z_t, t, c), eps_t), with paired noise eps_t; CDI has the
    norm for mse and one eps for all t.

    Costs 1 UNet row a timestep and 1 encode.

    Args:
        timesteps: t, fixed beforehand; CDI's by default.
    """

    access = Access.GREY
    paper = "Dubiński et al. 2025, arXiv 2411.12858"

    timesteps: tuple[int, ...] = tuple(range(0, 1000, 100))

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z0 = oracle.encode(candidates)
        losses = [denoising_loss(oracle, candidates, z0, t) for t in self.timesteps]
        return as_scores(-torch.stack(losses).mean(0))

    def variants(self) -> tuple[Attack, ...]:
        others = tuple(range(50, 501, 50)), tuple(range(100, 501, 100))
        return tuple(replace(self, timesteps=t) for t in (self.timesteps, *others))
