"""Loss threshold: members are denoised better."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attacks.base import Attack, mean_square, require_positive
from attacks.residual import ResidualAttack
from miagym.oracle import Access, Candidates, Oracle


def denoising_error(
    oracle: Oracle, candidates: Candidates, z0: Tensor, timestep: int, draw: int = 0
) -> Tensor:
    """E(z_t, t, c) - eps (n, *latent_shape) under the paired noise of this draw. 1 UNet row."""
    eps = oracle.noise(candidates, timestep, draw)
    z_t = oracle.add_noise(z0, eps, timestep)
    return oracle.predict_noise(candidates, z_t, timestep) - eps


def denoising_loss(
    oracle: Oracle, candidates: Candidates, z0: Tensor, timestep: int, draw: int = 0
) -> Tensor:
    """mse(E(z_t, t, c), eps) (n,) under the paired noise of this draw. 1 query, 1 UNet row."""
    return mean_square(denoising_error(oracle, candidates, z0, timestep, draw))


def mean_loss(errors: Tensor) -> Tensor:
    """Mean square of each error (draws, n, *latent_shape), averaged over draws: (n,)."""
    return torch.stack([mean_square(error) for error in errors]).mean(0)


@dataclass(frozen=True)
class LossThreshold(ResidualAttack):
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

    def residuals(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        z0, t = oracle.encode(candidates), self.timestep
        draws = range(self.draws)
        return torch.stack([denoising_error(oracle, candidates, z0, t, draw) for draw in draws])

    def size(self, residuals: Tensor) -> Tensor:
        return mean_loss(residuals)

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 100, 400))


@dataclass(frozen=True)
class MultipleLoss(ResidualAttack):
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

    def residuals(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        z0 = oracle.encode(candidates)
        return torch.stack([denoising_error(oracle, candidates, z0, t) for t in self.timesteps])

    def size(self, residuals: Tensor) -> Tensor:
        return mean_loss(residuals)

    def variants(self) -> tuple[Attack, ...]:
        others = tuple(range(50, 501, 50)), tuple(range(100, 501, 100))
        return tuple(replace(self, timesteps=t) for t in (self.timesteps, *others))
