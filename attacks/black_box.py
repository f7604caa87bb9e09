"""The two black-box attacks: what the caption alone brings back, and how far variations stray."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.base import Attack, Scores, as_scores
from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.errors import BudgetExhausted
from miagym.oracle import Oracle


@dataclass(frozen=True)
class BlackBoxAttack(Attack):
    """Asks for `draws` pictures of each candidate, or for as many as the budget allows."""

    access = Access.BLACK

    draws: int = 2

    @abstractmethod
    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        """One answer for each candidate (n, 3, size, size) in [0, 1]."""

    @abstractmethod
    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        """How far answers (draws, n, 3, h, w) are from candidates (n, 3, h, w): (n,)."""

    @property
    @abstractmethod
    def query(self) -> Cost:
        """What one picture costs."""

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        affordable = oracle.meter.affordable(candidates.keys, self.query)
        draws = self.draws if affordable is None else min(self.draws, affordable)
        if draws < 1:
            raise BudgetExhausted(
                f"The budget does not cover one picture a candidate, which costs {self.query}."
            )
        pictures = [self.picture(oracle, candidates, draw) for draw in range(draws)]
        distance = self.distance(torch.stack(pictures), oracle.pixels(candidates))
        return as_scores(-distance)

    @property
    def cost(self) -> Cost:
        return self.query * self.draws


@dataclass(frozen=True)
class TextToImage(BlackBoxAttack):
    """Generates from the caption alone: a memorised picture comes back.

    Dubiński et al., WACV 2024, arXiv 2306.12983, setting "black-box"; number of steps ours.

    Score: -min over draws of mean |255 x - 255 x_hat|.

    Args:
        draws: pictures a candidate; each costs `steps` UNet rows, twice that with guidance.
        steps: DDIM steps.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    paper = "Dubiński et al. 2024, arXiv 2306.12983"

    draws: int = 1
    steps: int = 4
    guidance_scale: float = 7.5

    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        return oracle.generate(
            candidates, draw=draw, steps=self.steps, guidance_scale=self.guidance_scale
        )

    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        return 255 * (pictures - candidates).abs().flatten(2).mean(2).amin(0)

    @property
    def query(self) -> Cost:
        halves = 1 if self.guidance_scale == 1 else 2
        return Cost(queries=1, unet_rows=self.steps * halves, decodes=1)


@dataclass(frozen=True)
class Variation(BlackBoxAttack):
    """Averages variations of the image and measures how far they stray from it.

    ReDiffuse: Li et al., ICML 2025, arXiv 2405.20771. Simplified: the distance is the plain pixel
    distance, not a trained network's, and it is to the picture itself (the reference code compares
    with its decoded latent, which a black box never sees).

    Score: -||x - mean over draws of variation(x)||_2.

    Args:
        draws: variations a candidate; each costs strength · steps UNet rows.
        strength: how far towards noise the image is taken, in (0, 1].
        steps: DDIM steps of a full generation, of which a variation runs its share.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    paper = "Li et al. 2025, arXiv 2405.20771"

    draws: int = 2
    strength: float = 0.3
    steps: int = 10
    guidance_scale: float = 1.0

    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        return oracle.vary(
            candidates,
            strength=self.strength,
            draw=draw,
            steps=self.steps,
            guidance_scale=self.guidance_scale,
        )

    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        return (pictures.mean(0) - candidates).flatten(1).norm(dim=1)

    @property
    def query(self) -> Cost:
        halves = 1 if self.guidance_scale == 1 else 2
        rows = max(1, int(self.strength * self.steps)) * halves
        return Cost(queries=1, unet_rows=rows, encodes=1, decodes=1)
