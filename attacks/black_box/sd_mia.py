"""SD-MIA: what is generated from a member's caption, reworded too, agrees with the member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor

from attacks.base import LearnedAttack, as_features, require_captions, require_positive
from attacks.black_box.descriptions import NOBODY, Describe, load_describer
from attacks.black_box.image_encoders import PATCHES
from attacks.black_box.rewordings import KINDS, RULES, reworded
from attacks.learning.rules import Features, Labels, Rule
from miagym.oracle import Access, Candidates, Oracle

GRID = np.linspace(0, 2, 20)
"""Weights that are tried for each of two rewordings, beside 1 for the third."""


@dataclass(frozen=True)
class SDMIA(LearnedAttack):
    """Agreement of the candidate with pictures generated from three rewordings of its caption.

    SD-MIA, CVPR 2026, arXiv 2605.27020. Simplified by default: rules reword where the paper has a
    language model, plain pixels are compared where it has CLIP and the captions of BLIP-2; name
    them, or a file of rewordings, and they are used. Its code scales features by all candidates,
    test labels' included, before it splits; nothing is scaled here.

    What it finds on pre-training data is disputed: it contains the agreement of captions, which
    alone give as much on LAION-mi. Ask another generator too (`evaluate --other-generator`): what
    is found there, the split gives.

    Features, for each rewording v: s_v = max over m pictures y of cos(d(x), d(y)), where d is the
    encoder's vector, and with a captioner beside it that of its caption. Score:
    w1 s_token + w2 s_style + s_semantic, w1 and w2 of a grid of 20 × 20 by AUC on calibration.

    Costs 3 m · steps UNet rows, twice that with guidance, and 3 m decodes.

    Args:
        draws: m, pictures a rewording; 2 is ours, the paper's is 10.
        encoder: `patches`, or a folder or hub id of a CLIP model (see `descriptions`).
        captioner: none, or a folder or hub id of a model from images to text.
        rewordings: `rules`, or a JSON file (see `rewordings`).
        steps: DDIM steps; 4 is ours, the paper takes 40.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    access = Access.BLACK
    paper = "SD-MIA 2026, arXiv 2605.27020"

    draws: int = 2
    encoder: str = PATCHES
    captioner: str = NOBODY
    rewordings: str = RULES
    steps: int = 4
    guidance_scale: float = 7.5

    def __post_init__(self) -> None:
        require_positive(self, "draws", "steps")

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        require_captions(candidates, self)
        describe = load_describer(self.encoder, self.captioner)
        texts = reworded(candidates.captions, self.rewordings)
        x = describe(oracle.pixels(candidates))
        found = [self._agreement(oracle, candidates, texts[v], describe, x) for v in KINDS]
        return as_features(torch.stack(found, dim=1))

    def _agreement(
        self,
        oracle: Oracle,
        candidates: Candidates,
        prompts: list[str],
        describe: Describe,
        x: Tensor,
    ) -> Tensor:
        """s_v (n,) of candidates that x (n, d) describes, from pictures of these prompts."""
        found = []
        for draw in range(self.draws):
            y = oracle.generate(
                candidates,
                prompts=prompts,
                draw=draw,
                steps=self.steps,
                guidance_scale=self.guidance_scale,
            )
            found.append((x * describe(y)).sum(1))
        return torch.stack(found).amax(0)

    def new_rule(self) -> Rule:
        return WeightedAgreement()


@dataclass(frozen=True, eq=False)
class WeightedAgreement(Rule):
    """w1 s_token + w2 s_style + s_semantic: weights (3,), the last of them 1."""

    weights: NDArray[np.float64] = field(default_factory=lambda: np.ones(len(KINDS)))

    def fit(self, features: Features, member: Labels) -> Self:
        pairs = [np.array([first, second, 1.0]) for first in GRID for second in GRID]
        return type(self)(max(pairs, key=lambda w: roc_auc_score(member, features @ w)))

    def score(self, features: Features) -> NDArray[np.float64]:
        return features @ self.weights
