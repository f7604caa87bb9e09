"""Low-pass: models disagree about fine detail whoever was a member, so it is weighed less."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attacks.base import Attack
from attacks.filters.filtered import Filtered
from miagym.oracle import AttackError, Candidates, Oracle


def low_passed(residuals: Tensor, cutoff: float, keep: float) -> Tensor:
    """F^-1[M F(x)] of x (..., h, w), with M = 1 below the cutoff both ways, `keep` elsewhere."""
    height, width = residuals.shape[-2:]
    v, u = (torch.fft.fftfreq(side, device=residuals.device).abs() for side in (height, width))
    passes = (v[:, None] < cutoff) & (u[None] < cutoff)
    mask = torch.where(passes, 1.0, keep)
    return torch.fft.ifft2(torch.fft.fft2(residuals.float()) * mask).real


@dataclass(frozen=True)
class LowPass(Filtered):
    """An attack by a residual in latents, of which high frequencies count less.

    FreMIA, ICML 2026, arXiv 2505.20955: the same filter on prediction and target before their
    distance is taken, which is the filter on their difference. Faithful, but that the cutoff is a
    share of the latents' side (theirs is 5 frequencies of 64), and that it is chosen on calibration
    data, where their code says nothing of where 5 and 0.2 are from.

    Score: -||F^-1[M F(r)]||, with the attack's own residual r and distance.

    Costs what the attack does.

    Args:
        attack: one by a residual in latents.
        cutoff: frequencies below it pass, in cycles a latent pixel, in (0, 0.5].
        keep: what is left of the others.
    """

    paper = "FreMIA 2026, arXiv 2505.20955"

    cutoff: float = 5 / 64
    keep: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.cutoff <= 0.5 or not 0 <= self.keep <= 1:
            raise AttackError(
                f"Expected a cutoff in (0, 0.5] and to keep a share in [0, 1], got {self.cutoff} "
                f"and {self.keep}."
            )

    def changed(self, residuals: Tensor, oracle: Oracle, candidates: Candidates) -> Tensor:
        return low_passed(residuals, self.cutoff, self.keep)

    def variants(self) -> tuple[Attack, ...]:
        cutoffs = dict.fromkeys((self.cutoff, 0.25))
        return tuple(
            replace(self, attack=attack, cutoff=cutoff)
            for attack in self.attack.variants()
            for cutoff in cutoffs
        )
