"""GSA: members, already fitted, have other gradients by a model's weights than non-members."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from attacks.base import LearnedAttack, as_features
from attacks.learning.rules import Classifier, Rule
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class GSA(LearnedAttack):
    """Gradient attack: boosted trees on the norm of the loss gradient by each parameter tensor.

    Pang et al., PoPETs 2025, arXiv 2308.06405. White box: it needs the weights. Simplified:
    scikit-learn's boosting in the place of XGBoost, at most of its defaults (rate 0.3, depth 6,
    lambda 1, and leaves of at least 4 rows for its smallest weight of 1); calibration data of the
    target in the place of shadow models. The scaler sees calibration data only, where the reference
    code fits it to the test set; a parameter without gradient has norm 0, where that code crashes.

    Score: log odds of membership.

    Args:
        timesteps: t, equidistant, one draw each. These five are ours, because gradients are
            slow; the paper's ten are 99, 199, .., 999.
        trees: of the boosting; the paper's number.
    """

    access = Access.WHITE
    paper = "Pang et al. 2025, arXiv 2308.06405"

    timesteps: tuple[int, ...] = (100, 300, 500, 700, 900)
    trees: int = 200

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        z0 = oracle.encode(candidates)
        eps = [oracle.noise(candidates, t) for t in self.timesteps]
        z = [oracle.add_noise(z0, e, t) for e, t in zip(eps, self.timesteps, strict=True)]
        return as_features(self.norms(oracle, candidates, torch.stack(z, 1), torch.stack(eps, 1)))

    @abstractmethod
    def norms(self, oracle: Oracle, candidates: Candidates, z: Tensor, eps: Tensor) -> Tensor:
        """Norms (n, parameter tensors) given z_t and their noise (n, timesteps, *latent_shape)."""

    def new_rule(self) -> Rule:
        trees = HistGradientBoostingClassifier(
            max_iter=self.trees,
            learning_rate=0.3,
            max_depth=6,
            min_samples_leaf=4,
            l2_regularization=1.0,
            random_state=0,
        )
        return Classifier.of(trees)


@dataclass(frozen=True)
class GSA1(GSA):
    """GSA1: one gradient, of the mean loss.

    Feature j: || d/d theta_j of the mean over t of mse(E(z_t, t, c), eps_t) ||_2.

    Costs 1 UNet row and 1 backward row a timestep, and 1 encode, in 2 queries.
    """

    def norms(self, oracle: Oracle, candidates: Candidates, z: Tensor, eps: Tensor) -> Tensor:
        return oracle.parameter_gradient_norms(candidates, z, self.timesteps, eps)


@dataclass(frozen=True)
class GSA2(GSA):
    """GSA2: one gradient at each timestep, their norms averaged.

    Feature j: mean over t of || d/d theta_j mse(E(z_t, t, c), eps_t) ||_2.

    Costs 1 query, 1 UNet row and 1 backward row a timestep, and 1 encode in 1 query.
    """

    def norms(self, oracle: Oracle, candidates: Candidates, z: Tensor, eps: Tensor) -> Tensor:
        ask = oracle.parameter_gradient_norms
        asked = zip(self.timesteps, z.split(1, dim=1), eps.split(1, dim=1), strict=True)
        return torch.stack([ask(candidates, z_t, [t], eps_t) for t, z_t, eps_t in asked]).mean(0)
