"""Likelihood ratio of membership to non-membership, given a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from miagym.metrics.conformal import Interval

RESAMPLES = 500
STEPS = 25
"""Of Newton's method, none longer than 1 in standardised units."""
RIDGE = 1e-9
OVERFLOW = 700
"""Above it, exp is infinite in float64."""


@dataclass(frozen=True)
class Ratio:
    """Likelihood ratio of member to non-member at one score, with its 95 % interval."""

    value: float
    ci: Interval


@dataclass(frozen=True, eq=False)
class LikelihoodRatio:
    """Likelihood ratio as a function of the score, log-linear as in Platt (1999).

    A logistic regression of membership on the score, both sides weighed alike, has the log of the
    likelihood ratio for its log odds. Its interval is a stratified bootstrap: members and
    non-members resampled apart, percentiles. The curve may not claim more than the sample holds:
    n non-members show no ratio above n + 1, m members none below 1 / (m + 1).

    Args:
        lines: intercept and slope (1 + resamples, 2), the first without resampling.
        bounds: the smallest and the largest ratio.
    """

    lines: NDArray[np.float64]
    bounds: Interval

    @classmethod
    def of(
        cls, members: NDArray[np.float64], nonmembers: NDArray[np.float64], seed: int
    ) -> LikelihoodRatio:
        """Fits the ratio to scores of members (m,) and non-members (n,), used for nothing else."""
        rng, m, n = np.random.default_rng(seed), len(members), len(nonmembers)
        shares = [
            np.vstack([np.ones(k), rng.multinomial(k, np.full(k, 1 / k), size=RESAMPLES)]) / k / 2
            for k in (m, n)
        ]
        lines = _lines(np.concatenate([members, nonmembers]), np.hstack(shares), m)
        return cls(lines, (1 / (m + 1), float(n + 1)))

    def __call__(self, score: float) -> Ratio:
        logs = self.lines @ np.array([1.0, score])
        ratios = np.exp(np.minimum(logs, OVERFLOW)).clip(*self.bounds)
        low, high = np.quantile(ratios[1:], [0.025, 0.975])
        value = float(ratios[0])
        return Ratio(value, (min(float(low), value), max(float(high), value)))


def _lines(
    scores: NDArray[np.float64], weights: NDArray[np.float64], m: int
) -> NDArray[np.float64]:
    """Intercepts and slopes (b, 2) of b logistic regressions, by Newton's method side by side.

    Args:
        scores: of m members, then of n non-members (m + n,).
        weights: of each score in each regression (b, m + n).
        m: number of members.
    """
    n, centre, scale = len(scores) - m, scores.mean(), scores.std() or 1.0
    x = np.stack([np.ones(m + n), (scores - centre) / scale], axis=1)
    # Platt's targets, which keep the slope finite where the sides do not overlap.
    target = np.repeat([(m + 1) / (m + 2), 1 / (n + 2)], [m, n])
    squares = (x[:, :, None] * x[:, None, :]).reshape(-1, 4)
    lines = np.zeros((len(weights), 2))
    for _ in range(STEPS):
        p = expit(lines @ x.T)
        gradient = (weights * (target - p)) @ x
        curvature = ((weights * p * (1 - p)) @ squares).reshape(-1, 2, 2) + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        lines += step / np.maximum(1, np.linalg.norm(step, axis=1, keepdims=True))
    slope = lines[:, 1] / scale
    return np.stack([lines[:, 0] - slope * centre, slope], axis=1)
