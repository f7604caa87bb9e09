"""Power of the single-picture rule, and the number of pictures that a set test needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from miagym.metrics.conformal import Interval, fpr_of_rule, fpr_range, p_values
from miagym.metrics.intervals import share_interval
from miagym.metrics.permutation import smallest_set_p

MAX_PICTURES = 1000
SETS, RESAMPLES = 200, 100
_JOINT = 0.975
"""Confidence of each of two intervals whose quotient then has at least 95 %."""


@dataclass(frozen=True)
class RulePower:
    """Power of the rule "member-like if p <= alpha", measured on calibration pictures.

    Args:
        alpha: the rule's.
        tpr: share of ranking members that it finds, [0, 1].
        ci: its 95 % interval (Clopper-Pearson).
        fpr: share of non-members that it calls member-like, on average over calibrations.
        fpr_ci: where that share lies under this one calibration, 95 %.
        times: tpr / fpr: how much more often the rule calls a member so than a non-member; None
            where the non-members cannot resolve alpha.
        times_ci: at least 95 %, from those of both shares; its end is infinite at times.
    """

    alpha: float
    tpr: float
    ci: Interval
    fpr: float
    fpr_ci: Interval
    times: float | None
    times_ci: Interval | None


def rule_power(
    members: NDArray[np.float64], nonmembers: NDArray[np.float64], alpha: float
) -> RulePower:
    """Measures the rule's power from scores of ranking members (m,) and non-members (n,)."""
    n = len(nonmembers)
    found = int((p_values(members, nonmembers) <= alpha).sum())
    tpr, fpr = found / len(members), fpr_of_rule(alpha, n)
    times = times_ci = None
    if fpr > 0:
        (low, high), (least, most) = (
            share_interval(found, len(members), _JOINT),
            fpr_range(alpha, n, _JOINT),
        )
        times, times_ci = tpr / fpr, (low / most, high / least if least > 0 else math.inf)
    return RulePower(
        alpha, tpr, share_interval(found, len(members)), fpr, fpr_range(alpha, n), times, times_ci
    )


@dataclass(frozen=True)
class PicturesNeeded:
    """Number of pictures that a set test needs; None stands for more than `MAX_PICTURES`.

    Args:
        pictures: so many members are found with the power that was asked for.
        ci: its 95 % interval (bootstrap of the calibration pictures).
    """

    pictures: int | None
    ci: tuple[int | None, int | None]


def pictures_needed(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    alpha: float,
    seed: int,
    power: float = 0.95,
) -> PicturesNeeded:
    """Simulates how many pictures a set test needs if all are members, from ranking scores.

    Sets of members are drawn, with replacement, and compared with all non-members by the
    permutation test's own mean and variance and a normal tail (exact for large sets). A size whose
    smallest p-value is above alpha is too few, however far apart the scores are.
    """
    rng = np.random.default_rng(seed)
    point = _smallest_size(members, nonmembers, alpha, power, rng)
    resampled = [
        _smallest_size(rng.choice(members, len(members)), rng.choice(nonmembers, len(nonmembers)),
                       alpha, power, rng)
        for _ in range(RESAMPLES)
    ]  # fmt: skip
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    return PicturesNeeded(_within(point), (_within(min(low, point)), _within(max(high, point))))


def _within(size: float) -> int | None:
    return None if size > MAX_PICTURES else int(size)


def _smallest_size(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    alpha: float,
    power: float,
    rng: np.random.Generator,
) -> float:
    """By bisection between 2 and `MAX_PICTURES`; infinite if those are too few."""

    def enough(size: int) -> bool:
        if smallest_set_p(size, len(nonmembers)) > alpha:
            return False
        return _share_found(members, nonmembers, size, alpha, rng) >= power

    if not enough(MAX_PICTURES):
        return math.inf
    low, high = 1, MAX_PICTURES
    while high - low > 1:
        middle = round(math.sqrt(low * high)) if high > 2 * low else (low + high) // 2
        middle = min(max(middle, low + 1), high - 1)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def _share_found(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    size: int,
    alpha: float,
    rng: np.random.Generator,
) -> float:
    sets = rng.choice(members, (SETS, size))
    both = size + len(nonmembers)
    mean = (sets.sum(1) + nonmembers.sum()) / both
    square = ((sets**2).sum(1) + (nonmembers**2).sum()) / both
    spread = np.sqrt((square - mean**2) / size * (both - size) / (both - 1))
    return float(np.mean(sets.mean(1) - mean >= norm.isf(alpha) * spread))
