"""Reconstruction: pictures generated from a member's caption resemble it, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf
from sklearn.neural_network import MLPClassifier
from torch.nn.functional import cosine_similarity

from attacks.base import LearnedAttack, as_features, require_captions
from attacks.black_box.image_encoders import PATCHES, load_encoder
from attacks.learning.rules import Classifier, Features, Labels, Rule
from miagym.oracle import Access, Candidates, Oracle

RIDGE = 1e-5
LAYERS = (64, 32)
Decision = Literal["threshold", "distribution", "classifier"]


@dataclass(frozen=True)
class Reconstruction(LearnedAttack):
    """Similarity of the picture to m pictures generated from its caption, judged by a learned rule.

    Pang and Wang, NDSS 2025, arXiv 2312.08207. Simplified: by default the image encoder is plain
    patches of pixels, since the paper's, `facebook/deit-base-distilled-patch16-384`, needs weights
    that are not here; and the classifier is smaller.

    Features: mean over the m pictures of cos(e(x), e(x_hat)), where e gives tokens × channels and
    the cosine runs along the tokens: one feature a channel, members higher.

    Decisions:
        threshold: the largest standardised feature.
        distribution: log N(f; mu_1, S_1) - log N(f; mu_0, S_0), each covariance + 1e-5 I. They are
            shrunk by Ledoit and Wolf's rule, which is ours: there are fewer samples than features.
        classifier: a network of layers (64, 32) under weight decay, which is ours for a few hundred
            samples; the paper's has 1024 to 32 and dropout. It trains until its loss is flat; the
            reference code reports the best epoch on test data.

    Scenario I of the paper, a caption and labels of some of the target's own data, is the usual fit
    on the calibration part. Scenario III, a shadow model trained on other data, is
    `attack.fit(attack.features(shadow_oracle, shadow_candidates), shadow_member)`. Scenarios II and
    IV, where a captioner writes the caption, are left out.

    Costs m · steps UNet rows, twice that with guidance, and m decodes.

    Args:
        decision: which rule; the default is ours.
        draws: m, the paper's 3.
        encoder: `patches`, or a folder or hub id of a vision model (see `image_encoders`).
        steps: DDIM steps; 4 is ours, the paper takes 30.
        guidance_scale: classifier-free guidance, the paper's 7.5; 1 is off.
    """

    access = Access.BLACK
    paper = "Pang and Wang 2025, arXiv 2312.08207"

    decision: Decision = "classifier"
    draws: int = 3
    encoder: str = PATCHES
    steps: int = 4
    guidance_scale: float = 7.5

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        require_captions(candidates, self)
        encode = load_encoder(self.encoder)
        e = encode(oracle.pixels(candidates))
        similarities = []
        for draw in range(self.draws):
            generated = oracle.generate(
                candidates, draw=draw, steps=self.steps, guidance_scale=self.guidance_scale
            )
            similarities.append(cosine_similarity(e, encode(generated), dim=1))
        return as_features(torch.stack(similarities).mean(0))

    def new_rule(self) -> Rule:
        match self.decision:
            case "threshold":
                return LargestStandardised()
            case "distribution":
                return TwoGaussians()
            case "classifier":
                network = MLPClassifier(LAYERS, alpha=1.0, tol=1e-3, max_iter=2000, random_state=0)
                return Classifier.of(network)


@dataclass(frozen=True, eq=False)
class LargestStandardised(Rule):
    """The largest feature, each scaled to mean 0 and deviation 1 (d,) on the calibration part."""

    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    deviation: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def fit(self, features: Features, member: Labels) -> Self:
        return type(self)(features.mean(0), features.std(0) + RIDGE)

    def score(self, features: Features) -> NDArray[np.float64]:
        return ((features - self.mean) / self.deviation).max(1)


@dataclass(frozen=True, eq=False)
class TwoGaussians(Rule):
    """Log ratio of two Gaussians, members over others: means (2, d), covariances (2, d, d)."""

    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 0)))
    covariance: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 0, 0)))

    def fit(self, features: Features, member: Labels) -> Self:
        sides = [features[member], features[~member]]
        ridge = RIDGE * np.eye(features.shape[1])
        covariances = [ledoit_wolf(side)[0] + ridge for side in sides]
        return type(self)(np.stack([side.mean(0) for side in sides]), np.stack(covariances))

    def score(self, features: Features) -> NDArray[np.float64]:
        inside, outside = (
            multivariate_normal(mean, covariance).logpdf(features)
            for mean, covariance in zip(self.mean, self.covariance, strict=True)
        )
        return np.atleast_1d(inside - outside)
