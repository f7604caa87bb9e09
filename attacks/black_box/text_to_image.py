"""Text to image: a memorised picture comes back when its caption is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from attacks.base import require_captions
from attacks.black_box.base import BlackBoxAttack
from miagym.oracle import Candidates, Oracle


@dataclass(frozen=True)
class TextToImage(BlackBoxAttack):
    """Generates from the caption alone and looks for the picture in the answers.

    Dubiński et al., WACV 2024, arXiv 2306.12983, setting "black-box". Faithful; the paper
    averages 5 draws, 1 is ours.

    Score: -mean over draws of mean |255 x - 255 x_hat|, where x_hat is generated from c.

    Costs, for each draw, 1 decode and `steps` UNet rows, twice that with guidance.

    Args:
        draws: pictures a candidate.
        steps: DDIM steps; 4 is ours, to be cheap.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    paper = "Dubiński et al. 2024, arXiv 2306.12983"

    draws: int = 1
    steps: int = 4
    guidance_scale: float = 7.5

    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        require_captions(candidates, self)
        return oracle.generate(
            candidates, draw=draw, steps=self.steps, guidance_scale=self.guidance_scale
        )

    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        return 255 * (pictures - candidates).abs().flatten(2).mean(2).mean(0)
