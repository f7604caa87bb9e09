"""Degrade, restore, compare: a model fills in what is missing from a picture that it remembers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from attacks.base import Attack
from attacks.black_box.base import BlackBoxAttack
from miagym.oracle import Candidates, Oracle


@dataclass(frozen=True)
class DegradeRestoreCompare(BlackBoxAttack):
    """Coarsens the middle of the picture and sees how well the model mends it.

    Fu et al., 2024, arXiv 2403.08487. Simplified, after its abstract: what is degraded is always
    the middle, it is restored by the black box's variation of the degraded picture under the
    caption, and it is compared in pixels. All defaults are ours.

    Score: x' = x with the middle square in b × b flat blocks, -mean over draws of
    |x - variation(x')| / (|x - x'| + 1/255), where |.| is the mean over the square: the share of
    what was lost that stays lost. Without the division, which is ours, busy pictures look like
    non-members.

    Costs, for each draw, 1 encode, 1 decode and strength · steps UNet rows, twice that with
    guidance.

    Args:
        draws: restorations a candidate.
        blocks: b; 1 masks the square with its mean colour.
        strength: how far towards noise the degraded picture is taken, in (0, 1].
        steps: DDIM steps of a full generation, of which a variation runs its share.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    paper = "Fu et al. 2024, arXiv 2403.08487"

    draws: int = 3
    blocks: int = 4
    strength: float = 0.6
    steps: int = 10
    guidance_scale: float = 1.0

    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        pixels = torch.from_numpy(candidates.images).permute(0, 3, 1, 2)
        degraded = self.degraded(pixels.double()).round().byte().permute(0, 2, 3, 1)
        return oracle.vary(
            candidates.with_images(degraded.numpy()),
            strength=self.strength,
            draw=draw,
            steps=self.steps,
            guidance_scale=self.guidance_scale,
        )

    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        lost = middle(candidates - self.degraded(candidates)).abs().flatten(1).mean(1)
        missing = middle(candidates - pictures).abs().flatten(2).mean(2)
        return missing.mean(0) / (lost + 1 / 255)

    def degraded(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, h, w) with their middle square in flat blocks."""
        degraded = pictures.clone()
        square = middle(degraded)
        blocks = adaptive_avg_pool2d(square, self.blocks)
        square.copy_(interpolate(blocks, size=square.shape[-2:], mode="nearest"))
        return degraded

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, blocks=b) for b in (self.blocks, 1))


def middle(pictures: Tensor) -> Tensor:
    """The middle square, half as wide as the pictures (..., h, w), as a view of them."""
    height, width = pictures.shape[-2:]
    return pictures[..., height // 4 : height - height // 4, width // 4 : width - width // 4]
