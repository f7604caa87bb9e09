"""Nearest generated pictures: what a model generates lies closer to what it was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from attacks.base import Attack
from attacks.black_box.text_to_image import TextToImage


@dataclass(frozen=True)
class NearestGenerated(TextToImage):
    """Distances to the K nearest pictures among those generated.

    Matsumoto et al., 2023, arXiv 2302.03262, setting "black-box". Simplified: the paper's pool is
    one set of unconditional samples for all candidates, which a text-to-image model does not give;
    here each candidate has its own pool, generated from its caption, so that its score does not
    depend on who else is asked about. The pictures are those of `TextToImage`.

    Score: -sum over the K nearest x_hat of ||x - x_hat||_2.

    Costs, for each draw, 1 decode and `steps` UNet rows, twice that with guidance.

    Args:
        draws: m, pictures in the pool of a candidate; 8 is ours.
        neighbours: K, or the whole pool where that is smaller. 3 is ours; the paper takes 5 of a
            far larger pool.
        steps: DDIM steps; 4 is ours, the paper takes 20.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    paper = "Matsumoto et al. 2023, arXiv 2302.03262"

    draws: int = 8
    neighbours: int = 3

    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        distances = (pictures - candidates).flatten(2).norm(dim=2)
        return distances.sort(0).values[: self.neighbours].sum(0)

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, neighbours=k) for k in (self.neighbours, 1, 5))
