"""CLiD: members profit more from their own caption."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import RobustScaler

from attacks.base import (
    Attack,
    LearnedAttack,
    Scores,
    as_features,
    as_scores,
    mean_square,
    require_captions,
    require_positive,
)
from attacks.learning.rules import Arrays, Classifier, Features, Labels, Rule
from miagym.oracle import Access, Candidates, Oracle

ALPHAS = tuple(step / 10 for step in range(11))


def clip_prompts(caption: str) -> tuple[str, str, str, str]:
    """The paper's "Clip" reductions: first, middle, last third of the characters; no caption."""
    first, second = len(caption) // 3, 2 * len(caption) // 3
    return caption[:first], caption[first:second], caption[second:], ""


@dataclass(frozen=True)
class CLiD(Attack):
    """Conditional likelihood discrepancy, with the empty prompt as the only reduced prompt.

    Zhai et al., NeurIPS 2024, arXiv 2405.14800. Simplified: one reduced prompt of the paper's four,
    one timestep, and the discrepancy alone, which is the paper's score at alpha = 1.

    Score: mean over draws of mse(E(z_t, t, ""), eps) - mse(E(z_t, t, c), eps), with one eps.

    Costs 2 UNet rows a draw and 1 encode.

    Args:
        timestep: t; the paper's are near 450 and 495.
        draws: draws of noise; the paper has one, at each of three timesteps.
    """

    access = Access.GREY
    paper = "Zhai et al. 2024, arXiv 2405.14800"

    timestep: int = 400
    draws: int = 2

    def __post_init__(self) -> None:
        require_positive(self, "draws")

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        require_captions(candidates, self)
        z0 = oracle.encode(candidates)
        gains = []
        for draw in range(self.draws):
            eps = oracle.noise(candidates, self.timestep, draw)
            z_t = oracle.add_noise(z0, eps, self.timestep)
            conditional = oracle.predict_noise(candidates, z_t, self.timestep)
            unconditional = oracle.predict_noise(candidates, z_t, self.timestep, prompts="")
            gains.append(mean_square(unconditional - eps) - mean_square(conditional - eps))
        return as_scores(torch.stack(gains).mean(0))

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 200))


@dataclass(frozen=True)
class LearnedCLiD(LearnedAttack):
    """The five features of CLiD under the "Clip" reduced prompts c_1 .. c_4.

    Zhai et al., NeurIPS 2024, arXiv 2405.14800. All prompts share the noise of a timestep, without
    which the discrepancies drown. (The reference script for "Clip" exits before it computes any,
    and draws its noise unseeded.)

    Features: [L(c), d_1, .., d_4], where L(c) is the mean over t of mse(E(z_t, t, c), eps) and
    d_i = L(c_i) - L(c).

    Costs 5 UNet rows a timestep and 1 encode.

    Args:
        timesteps: t, one draw each. The paper's are 485, 495, 505 for "Clip" and 440, 450, 460 for
            its other reduction; ours lie around both, on the grid that the attacks share.
    """

    access = Access.GREY
    paper = "Zhai et al. 2024, arXiv 2405.14800"

    timesteps: tuple[int, ...] = (400, 450, 500)

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        require_captions(candidates, self)
        reduced = zip(*map(clip_prompts, candidates.captions), strict=True)
        prompts = [candidates.captions, *reduced]
        z0 = oracle.encode(candidates)
        losses = []
        for t in self.timesteps:
            eps = oracle.noise(candidates, t)
            z_t = oracle.add_noise(z0, eps, t)
            answers = [oracle.predict_noise(candidates, z_t, t, prompts=c) for c in prompts]
            losses.append(torch.stack([mean_square(answer - eps) for answer in answers], dim=1))
        full, others = torch.stack(losses).mean(0).split([1, 4], dim=1)
        return as_features(torch.cat([full, others - full], dim=1))


@dataclass(frozen=True)
class CLiDThreshold(LearnedCLiD):
    """CLiD-th: the loss and the mean discrepancy, weighed by alpha.

    Faithful, but that calibration data of the target stand in for a shadow model, and that the
    timesteps are ours (see `LearnedCLiD`). The paper's score is low for members, ours is high.

    Score: -((1 - alpha) S(L(c)) + alpha S(-mean over i of d_i)). S removes the median and divides
    by the interquartile range of calibration data; their AUC chooses alpha in {0, 0.1, .., 1}.
    """

    def new_rule(self) -> Rule:
        return WeightedDiscrepancy()


@dataclass(frozen=True)
class CLiDVector(LearnedCLiD):
    """CLiD-vec: boosted trees on the five features.

    Simplified: scikit-learn's boosting in the place of XGBoost, with the paper's 20 trees of depth
    3, 0.7 of the rows to each tree and of the features to each split, and XGBoost's usual rate of
    0.3; without its penalties gamma, alpha and lambda. Calibration data of the target stand in for
    a shadow model.

    Score: log odds of membership.
    """

    def new_rule(self) -> Rule:
        trees = GradientBoostingClassifier(
            n_estimators=20,
            max_depth=3,
            learning_rate=0.3,
            subsample=0.7,
            max_features=0.7,
            random_state=0,
        )
        return Classifier.of(trees)


@dataclass(frozen=True)
class WeightedDiscrepancy(Rule):
    """CLiD-th's rule on [L(c), d_1, .., d_4]: alpha, and the scaler S of the two signals."""

    alpha: float = 1.0
    centres: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    scales: NDArray[np.float64] = field(default_factory=lambda: np.ones(2))

    def fit(self, features: Features, member: Labels) -> WeightedDiscrepancy:
        scaler = RobustScaler().fit(self._signals(features))
        centres, scales = np.asarray(scaler.center_), np.asarray(scaler.scale_)
        rules = [WeightedDiscrepancy(alpha, centres, scales) for alpha in ALPHAS]
        return max(rules, key=lambda rule: roc_auc_score(member, rule.score(features)))

    def score(self, features: Features) -> NDArray[np.float64]:
        scaled = (self._signals(features) - self.centres) / self.scales
        return -scaled @ np.array([1 - self.alpha, self.alpha])

    def arrays(self) -> Arrays:
        return {"alpha": np.array([self.alpha]), "centres": self.centres, "scales": self.scales}

    def with_arrays(self, arrays: Arrays) -> WeightedDiscrepancy:
        return WeightedDiscrepancy(arrays["alpha"].item(), arrays["centres"], arrays["scales"])

    @staticmethod
    def _signals(features: Features) -> NDArray[np.float64]:
        """L(c) and -mean d (n, 2): both lower for members."""
        return np.stack([features[:, 0], -features[:, 1:].mean(1)], axis=1)
