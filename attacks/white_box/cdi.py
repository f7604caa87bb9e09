"""CDI: many weak signals of membership, weighed by a regression that calibration data teach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from attacks.base import LearnedAttack, as_features
from attacks.grey_box.loss import LossThreshold
from attacks.grey_box.pia import PIA, PIAN
from attacks.grey_box.secmi import SecMI
from attacks.learning.rules import Classifier, Rule
from attacks.white_box.gradient_masking import GradientMasking
from attacks.white_box.noise_optimisation import NoiseOptimisation
from miagym.oracle import Access, Candidates, Oracle

SINGLE = (
    LossThreshold(timestep=100, draws=5),
    SecMI(timestep=100),
    PIA(timestep=200, norm=5.0),
    PIAN(timestep=200, norm=5.0),
)
"""Attacks of which each gives one feature, under the paper's hyperparameters but SecMI's stride."""


@dataclass(frozen=True)
class CDI(LearnedAttack):
    """The score of one picture in copyrighted data identification: regression on 26 features.

    Dubiński et al., CVPR 2025, arXiv 2411.12858. White box: gradients by the latent. This is the
    score of one picture; what the paper decides is about a set of them (see `DatasetInference`).
    Simplified: see `NoiseOptimisation`, and for the size of the mask `GradientMasking`. All
    features are of one latent, where the reference code samples six of one image. Calibration data
    teach the regression; the paper learns from four fifths of its data and scores the other fifth.

    Single features against the reference code's, on 64 + 64 drawings of clipart-overfit: the mean
    of five losses is one of mean squares, theirs one of norms (rank correlation 0.99998, AUC 0.826
    in both). SecMI is a mean square, theirs a norm, which is the same order; its stride is 20,
    theirs 10. PIAN's factor is sqrt(2/pi), theirs sqrt(pi/2): AUC 0.570 for ours, 0.638 for theirs.
    PIA and multiple loss are the same.

    Features, standardised on calibration data: the scores of loss, SecMI, PIA, PIAN; at each t
    gradient masking; at each t the loss ||E(z_t, t, c) - eps||_2 under one eps; noise optimisation.
    Score: log odds of membership.

    Costs, at ten timesteps, 52 UNet rows, 15 backward rows and 7 encodes of one and the same image.

    Args:
        timesteps: t of gradient masking and of multiple loss.
    """

    access = Access.WHITE
    paper = "Dubiński et al. 2025, arXiv 2411.12858"

    timesteps: tuple[int, ...] = tuple(range(0, 1000, 100))

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        single = [attack(oracle, candidates) for attack in SINGLE]
        masking = GradientMasking(self.timesteps).features(oracle, candidates)
        losses = self._multiple_loss(oracle, candidates)
        optimisation = NoiseOptimisation().features(oracle, candidates)
        several = as_features(torch.cat([masking, losses, optimisation], dim=1))
        return np.hstack([np.stack(single, axis=1), several])

    def _multiple_loss(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        z0 = oracle.encode(candidates)
        eps = oracle.noise(candidates, 0)
        losses = []
        for t in self.timesteps:
            predicted = oracle.predict_noise(candidates, oracle.add_noise(z0, eps, t), t)
            losses.append((predicted - eps).flatten(1).norm(dim=1))
        return torch.stack(losses, dim=1)

    def new_rule(self) -> Rule:
        return Classifier.of(LogisticRegression(max_iter=1000))
