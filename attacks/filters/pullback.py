"""Pullback: only latents that matter to the picture count, by the decoder's own metric."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attacks.base import Attack, require_positive
from attacks.filters.filtered import Filtered
from miagym.oracle import AttackError, Candidates, Cost, Oracle, metered_cost


@dataclass(frozen=True)
class Pullback(Filtered):
    """An attack by a residual in latents, of which those count that move the picture most.

    VAE2Diffusion, CVPR 2026, arXiv 2511.20592. Faithful to its formula; each picture has the mask
    of its own (their code gives a short last batch the masks of other pictures), and the latent is
    the posterior's mean.

    Score: that of the attack's residual r · M, M_k = 1 for the share `keep` of a picture's latent
    dimensions k with the largest d_k = log(mean over draws j of (J_D(z0)^T v_j)_k²) / 2, where
    v_j ~ N(0, I) has a picture's shape.

    Costs what the attack does, 1 encode, and 3 decodes a draw.

    Args:
        attack: one by a residual in latents.
        draws: of v; the paper's 8 for Stable Diffusion.
        keep: share of the dimensions, in (0, 1]; the paper's 0.6.
    """

    paper = "VAE2Diffusion 2026, arXiv 2511.20592"

    draws: int = 8
    keep: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "draws")
        if not 0 < self.keep <= 1:
            raise AttackError(f"Expected to keep a share in (0, 1], got {self.keep}.")

    @property
    def cost(self) -> Cost:
        """Measured: the decoder is asked beside the attack."""
        return metered_cost(self)

    def changed(self, residuals: Tensor, oracle: Oracle, candidates: Candidates) -> Tensor:
        metric = decoder_metric(oracle, candidates, self.draws).flatten(1)
        kept = max(1, round(self.keep * metric.shape[1]))
        mask = torch.zeros_like(metric).scatter_(1, metric.topk(kept, dim=1).indices, 1.0)
        return residuals * mask.view(1, *residuals.shape[1:])

    def variants(self) -> tuple[Attack, ...]:
        shares = dict.fromkeys((self.keep, 0.3))
        return tuple(
            replace(self, attack=attack, keep=keep)
            for attack in self.attack.variants()
            for keep in shares
        )


def decoder_metric(oracle: Oracle, candidates: Candidates, draws: int) -> Tensor:
    """D (n, *latent_shape): how far the picture moves with each dimension of its latent."""
    z0, shape = oracle.encode(candidates), oracle.pixels(candidates).shape[1:]
    squares = torch.zeros_like(z0)
    for draw in range(draws):
        v = oracle.noise_of(candidates, tuple(shape), "pullback", draw)
        squares += oracle.decoder_gradient(candidates, z0, v).square()
    return (squares / draws).clamp_min(1e-30).log() / 2
