"""Likelihood ratios of one signal under a target, from the same signal under shadow models.

Signals are high for members. Arrays are over candidates (n,), or shadow models and candidates
(k, n); `inside` says which model was trained on which candidate. Nothing here asks a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import norm
from scipy.stats import t as student

from attacks.base import Scores

Inside = NDArray[np.bool_]
FLOOR = 1e-9
"""The smallest deviation that is divided by."""


@dataclass(frozen=True)
class Scale:
    """What the dealt pictures say of the signal of any picture, pooled over all of them.

    Args:
        inside: deviation between models that were trained on a picture, of that picture's signal.
        outside: the same between models that were not.
        gain: how much higher the signal is, on average, where the model was trained on a picture.
    """

    inside: float
    outside: float
    gain: float

    @classmethod
    def of(cls, signals: Scores, inside: Inside) -> Scale:
        """Pools signals (k, n); pictures with fewer than two models on a side say nothing of it."""
        both = inside.any(0) & ~inside.all(0)
        gain = (mean(signals, inside) - mean(signals, ~inside))[both]
        mean_gain = float(gain.mean()) if both.any() else 0.0
        return cls(_within(signals, inside), _within(signals, ~inside), mean_gain)


def mean(signals: Scores, side: Inside) -> Scores:
    """Mean over the models of a side (n,); not a number where there is none."""
    count = side.sum(0)
    total = np.where(side, signals, 0).sum(0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def squares(signals: Scores, side: Inside) -> Scores:
    """Sum of squares of deviations from the mean of a side (n,)."""
    return np.square(np.where(side, signals - mean(signals, side), 0)).sum(0)


def _within(signals: Scores, side: Inside) -> float:
    count = side.sum(0)
    freedom = (count[count > 1] - 1).sum()
    if not freedom:
        return FLOOR
    total = squares(signals[:, count > 1], side[:, count > 1]).sum()
    return max(FLOOR, float(np.sqrt(total / freedom)))


def lira_online(signal: Scores, signals: Scores, inside: Inside, scale: Scale | None) -> Scores:
    """Log N(s; mu_in, sd_in²) - log N(s; mu_out, sd_out²) (Carlini et al. 2022, Algorithm 1).

    Args:
        signal: of the target (n,).
        signals: of the shadow models (k, n).
        inside: (k, n).
        scale: pooled deviations; None takes those of each picture.
    """
    logs = []
    for side, pooled in ((inside, scale and scale.inside), (~inside, scale and scale.outside)):
        deviation = pooled or _deviation(signals, side)
        logs.append(norm.logpdf(signal, mean(signals, side), deviation))
    return logs[0] - logs[1]


def lira_offline(signal: Scores, signals: Scores, inside: Inside, scale: Scale | None) -> Scores:
    """(s - mu_out) / sd_out; ranks as P(N(mu_out, sd_out²) <= s) (Carlini et al. 2022, Eq. 4)."""
    deviation = scale.outside if scale else _deviation(signals, ~inside)
    return (signal - mean(signals, ~inside)) / deviation


def _deviation(signals: Scores, side: Inside) -> Scores:
    return np.maximum(np.sqrt(squares(signals, side) / (side.sum(0) - 1)), FLOOR)


def rmia(
    signal: Scores, signals: Scores, inside: Inside, temperature: float, online: bool
) -> Scores:
    """Log of p(x | target) / p(x), with p = exp(s / temperature) (Zarifzadeh et al. 2024, Eq. 3).

    p(x) is the mean over shadow models; online, half of it over those trained on x and half over
    those that were not, so that the deal itself says nothing; offline, over the latter alone.
    """

    def log_mean(side: Inside) -> Scores:
        scaled = np.where(side, signals / temperature, -np.inf)
        return logsumexp(scaled, axis=0) - np.log(side.sum(0))

    outside = log_mean(~inside)
    p = np.logaddexp(log_mean(inside), outside) - np.log(2) if online else outside
    return signal / temperature - p


def bavaria(
    signal: Scores, signals: Scores, inside: Inside, scale: Scale, strength: float, trust: float
) -> Scores:
    """Log ratio of posterior predictives under a normal-inverse-gamma prior: Student's t each.

    With n signals of a side, their mean m and sum of squares SS, prior mean m0, `strength` k0 and
    `trust` v0 (degrees of freedom at the pooled variance S²): kn = k0 + n, vn = v0 + n,
    mn = (k0 m0 + n m) / kn, vn Sn² = v0 S² + SS + k0 n / kn (m - m0)², and the predictive is
    t_vn(mn, Sn² (kn + 1) / kn). m0 is what all models say of the picture, half the pooled gain up
    or down.
    """
    level = (signals - scale.gain * (inside - 0.5)).mean(0)
    logs = []
    for side, pooled, sign in ((inside, scale.inside, 1), (~inside, scale.outside, -1)):
        n, prior = side.sum(0), level + sign * scale.gain / 2
        m = np.where(n > 0, np.nan_to_num(mean(signals, side)), prior)
        k, freedom = strength + n, trust + n
        total = trust * pooled**2 + squares(signals, side) + strength * n / k * (m - prior) ** 2
        spread = np.sqrt(total / freedom * (k + 1) / k)
        logs.append(student.logpdf(signal, freedom, (strength * prior + n * m) / k, spread))
    return logs[0] - logs[1]
