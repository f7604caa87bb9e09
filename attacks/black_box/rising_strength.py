"""Variations of rising strength: the model lets go of a member later than of other pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from attacks.base import LearnedAttack, as_features, mean_square
from attacks.black_box.image_encoders import PATCHES, load_encoder
from attacks.black_box.rediffuse import ReDiffuse
from attacks.learning.rules import Classifier, Rule
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class RisingStrength(LearnedAttack):
    """A logistic regression on how far variations stray at each of several strengths.

    Bohacek and Farid, 2025, arXiv 2501.06399. Simplified: the paper's distance is DreamSim, whose
    weights are not here.

    Features: for each strength s, the mean over draws of d(x, variation_s(x)), where d(x, y)² =
    mean((e(x) - e(y))²) and e is the image encoder; with plain patches d is the pixel distance.
    The calibration part teaches the regression, so scores at rising budgets are not prefixes.

    Costs, for each draw and strength, 1 encode, 1 decode and s · steps UNet rows, twice that with
    guidance.

    Args:
        strengths: how far towards noise the picture is taken. The paper's run from 0.02 to 1 on
            Stable Diffusion; these few are ours, and hold those of `ReDiffuse`.
        draws: n, variations at each strength; 1 is ours.
        encoder: `patches`, or a folder or hub id of a vision model (see `image_encoders`).
        steps: DDIM steps of a full generation, of which a variation runs its share.
        guidance_scale: classifier-free guidance; 1 is off, which is ours.
    """

    access = Access.BLACK
    paper = "Bohacek and Farid 2025, arXiv 2501.06399"

    strengths: tuple[float, ...] = (0.1, 0.3, 0.6, 0.9)
    draws: int = 1
    encoder: str = PATCHES
    steps: int = 10
    guidance_scale: float = 1.0

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        encode = load_encoder(self.encoder)
        e = encode(oracle.pixels(candidates))
        distances = []
        for strength in self.strengths:
            variations = ReDiffuse(self.draws, strength, self.steps, self.guidance_scale)
            for draw in range(self.draws):
                varied = variations.picture(oracle, candidates, draw)
                distances.append(mean_square(encode(varied) - e).sqrt())
        by_strength = torch.stack(distances, 1).unflatten(1, (-1, self.draws))
        return as_features(by_strength.mean(2))

    def new_rule(self) -> Rule:
        return Classifier.of(LogisticRegression(max_iter=1000))
