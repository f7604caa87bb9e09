"""Sequential variations: the budget goes to the candidates about which the answers leave doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from attacks.base import LearnedAttack, Scores, as_features, require_positive
from attacks.black_box.rediffuse import ReDiffuse
from attacks.learning.rules import Arrays, Features, Labels, Rule
from miagym.oracle import Access, Candidates, Oracle, TargetError

Ask = Callable[[int, NDArray[np.int64]], NDArray[np.float64]]
"""Evidence (rows, p) about these rows after this draw, counted from 0."""

BOUNDARIES = np.append(np.linspace(0, 15, 301), np.inf)
"""Values of the boundary that are tried, in units of log odds; at infinity nobody stops early."""


@dataclass(frozen=True)
class SequentialTest(Rule):
    """A truncated sequential probability ratio test on evidence that grows draw by draw.

    After draw k, the log odds of membership are w_k · evidence_k + b_k, fitted by logistic
    regression. Testing stops below -(c - lead) or above c, or with the last draw. c is the largest
    boundary tried at which calibration candidates take at most `mean` draws on average (their mean
    plus one standard error).

    Args:
        most: draws after which testing stops.
        mean: draws that a candidate may take on average.
        lead: how much more evidence it takes to accuse than to acquit, in log odds.
        weights: (most, p), learned.
        offsets: (most,), learned.
        boundary: c, learned.
    """

    most: int
    mean: int
    lead: float
    weights: NDArray[np.float64] | None = None
    offsets: NDArray[np.float64] | None = None
    boundary: float = np.inf

    def fit(self, features: Features, member: Labels) -> Self:
        weights, offsets = [], []
        for evidence in self._stages(features):
            scaler = StandardScaler().fit(evidence)
            model = LogisticRegression(C=10.0).fit(scaler.transform(evidence), member)
            weights.append(model.coef_[0] / scaler.scale_)
            offsets.append(model.intercept_[0] - weights[-1] @ scaler.mean_)
        fitted = replace(self, weights=np.array(weights), offsets=np.array(offsets))
        walks = (replace(fitted, boundary=float(c)) for c in BOUNDARIES)
        affordable = [walk for walk in walks if walk.prudent_mean(features) <= self.mean]
        return affordable[-1] if affordable else replace(fitted, boundary=float(BOUNDARIES[0]))

    def prudent_mean(self, features: Features) -> float:
        """Draws that a candidate takes on average, and a standard error more to be safe."""
        taken = self.walk(features)[1]
        return float(taken.mean() + taken.std() / len(taken) ** 0.5)

    def log_odds(self, draw: int, evidence: NDArray[np.float64]) -> Scores:
        """Log odds of membership (n,), from evidence (n, p) after this draw, counted from 0."""
        assert self.weights is not None and self.offsets is not None
        return evidence @ self.weights[draw] + self.offsets[draw]

    def undecided(self, log_odds: Scores) -> NDArray[np.bool_]:
        return (log_odds > self.lead - self.boundary) & (log_odds < self.boundary)

    def test(self, n: int, ask: Ask) -> tuple[Scores, NDArray[np.int64]]:
        """Scores (n,) and the draws taken (n,), asking again only about who is undecided."""
        scores, taken = np.zeros(n), np.zeros(n, dtype=np.int64)
        rows = np.arange(n)
        for draw in range(self.most):
            scores[rows] = self.log_odds(draw, ask(draw, rows))
            taken[rows] += 1
            rows = rows[self.undecided(scores[rows])]
            if not len(rows):
                break
        return scores, taken

    def walk(self, features: Features) -> tuple[Scores, NDArray[np.int64]]:
        """Runs the test on features (n, most · p) that hold all answers already."""
        stages = self._stages(features)
        return self.test(len(features), lambda draw, rows: stages[draw][rows])

    def score(self, features: Features) -> Scores:
        return self.walk(features)[0]

    def _stages(self, features: Features) -> list[NDArray[np.float64]]:
        """Evidence (n, p) after each draw, from features (n, most · p)."""
        return np.split(features, self.most, axis=1)

    def arrays(self) -> Arrays:
        assert self.weights is not None and self.offsets is not None
        boundary = np.array(self.boundary)
        return {"weights": self.weights, "offsets": self.offsets, "boundary": boundary}

    def with_arrays(self, arrays: Arrays) -> Self:
        boundary = arrays["boundary"].item()
        return replace(
            self, weights=arrays["weights"], offsets=arrays["offsets"], boundary=boundary
        )


@dataclass(frozen=True)
class SequentialVariation(LearnedAttack):
    """A sequential test on variations of the picture, asked for until membership is clear.

    Ours, black box. The evidence is that of ReDiffuse (Li et al., arXiv 2405.20771) after every
    draw, and that of the reference model beside it where there is one; the allocation is Wald's
    (Sequential Tests of Statistical Hypotheses, 1945), truncated. Whom to ask again depends on a
    candidate's own answers only, so that scores do not depend on who else is in question.

    Score: log odds of membership at the draw where testing stops (see `SequentialTest`), of
    ||x - mean of k variations||_2 under the target and under the reference.

    Costs at most `most` variations, `mean` of them on average as far as the calibration part can
    tell; fitting costs `most` for each calibration candidate. `benchmarks/attacks/sequential.py`
    compares it with uniform spending.

    Args:
        mean: variations a candidate on average.
        most: variations a candidate at most; equal to `mean` it spends uniformly.
        lead: how much more evidence it takes to accuse than to acquit, in log odds.
        strength: of the variation.
        steps: DDIM steps of a full generation.
    """

    access = Access.BLACK
    paper = "ours; after Wald 1945 and Li et al. 2025"
    adaptive: ClassVar[bool] = True

    mean: int = 3
    most: int = 4
    lead: float = 3.0
    strength: float = 0.3
    steps: int = 10

    def __post_init__(self) -> None:
        require_positive(self, "mean", "most", "steps")

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        variations = _Variations(self._variation, oracle, candidates)
        everybody = np.arange(len(candidates))
        return np.hstack([variations.ask(draw, everybody) for draw in range(self.most)])

    def new_rule(self) -> Rule:
        return SequentialTest(self.most, self.mean, self.lead)

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        rule = self.fitted_rule
        assert isinstance(rule, SequentialTest) and rule.weights is not None
        fitted_with, here = rule.weights.shape[1] > 1, oracle.reference is not None
        if fitted_with != here:
            raise TargetError(
                f"SequentialVariation was fitted {'with' if fitted_with else 'without'} a "
                f"reference model, and this oracle has {'one' if here else 'none'}."
            )
        variations = _Variations(self._variation, oracle, candidates)
        return rule.test(len(candidates), variations.ask)[0]

    @property
    def _variation(self) -> ReDiffuse:
        return ReDiffuse(strength=self.strength, steps=self.steps)

    def within(self, queries: int) -> Self:
        """This attack with at most so many variations, on average three quarters of them."""
        return replace(self, mean=max(1, 3 * queries // 4), most=queries)


class _Variations:
    """Variations asked one after the other, of target and reference, and their running means."""

    def __init__(self, variation: ReDiffuse, oracle: Oracle, candidates: Candidates) -> None:
        self._variation, self._candidates = variation, candidates
        self._oracles = [oracle] if oracle.reference is None else [oracle, oracle.reference]
        pixels = oracle.pixels(candidates)
        self._pixels, self._sums = pixels, [torch.zeros_like(pixels) for _ in self._oracles]

    def ask(self, draw: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Distances (rows, oracles) of these pictures from the means of their variations so far."""
        candidates, at = self._candidates[rows], torch.from_numpy(rows).to(self._pixels.device)
        distances = []
        for oracle, total in zip(self._oracles, self._sums, strict=True):
            total[at] += self._variation.picture(oracle, candidates, draw)
            difference = total[at] / (draw + 1) - self._pixels[at]
            distances.append(difference.flatten(1).norm(dim=1))
        return as_features(torch.stack(distances, dim=1))
