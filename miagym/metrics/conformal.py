"""Conformal p-values, and the rates and power of the rule "member-like if p <= alpha"."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from miagym.errors import DataError
from miagym.metrics.auc import Interval
from miagym.metrics.intervals import share_interval

_ROUNDING = 1e-9
_JOINT = 0.975
"""Confidence of each of two intervals whose quotient then has at least 95 %."""


def p_values(scores: ArrayLike, nonmember_scores: ArrayLike) -> NDArray[np.float64]:
    """Conformal p-values (1 + #{non-members that score >= s}) / (n + 1) of scores (k,).

    Split conformal inference (Vovk, Gammerman & Shafer 2005); high scores mean member. Whatever the
    score is, if a picture is exchangeable with the n non-members, P(p <= a) <= a, and the smallest
    p is 1 / (n + 1). Ties count against membership.

    Raises:
        DataError: if there is no non-member, or a score is NaN or infinite.
    """
    asked = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    known = np.sort(np.asarray(nonmember_scores, dtype=np.float64).ravel())
    if not len(known) or not np.isfinite(asked).all() or not np.isfinite(known).all():
        raise DataError("A p-value needs finite scores, of the picture and of some non-members.")
    at_least = len(known) - np.searchsorted(known, asked, side="left")
    return (1 + at_least) / (len(known) + 1)


def smallest_p(n: int) -> float:
    """Smallest p-value that n calibration non-members can give."""
    return 1 / (n + 1)


def passing(alpha: float, n: int) -> int:
    """Rank k of the largest p-value k / (n + 1) that is at most alpha."""
    return math.floor(alpha * (n + 1) + _ROUNDING)


def fpr_of_rule(alpha: float, n: int) -> float:
    """False positive rate of "member-like if p <= alpha", on average over calibrations."""
    return passing(alpha, n) / (n + 1)


def fpr_range(
    alpha: float, n: int, confidence: float = 0.95, worth: float | None = None
) -> Interval:
    """Interval of the rule's false positive rate under a single calibration.

    Of scores without ties it is Beta(k, n + 1 - k) over calibrations, k = floor(alpha (n + 1))
    (Vovk 2012); with ties it is lower. (0, 0) where n cannot resolve alpha. Non-members in groups
    are taken for as many independent ones as they are `worth`.
    """
    k, tail = passing(alpha, n), (1 - confidence) / 2
    if k == 0:
        return 0.0, 0.0
    if k > n:
        return 1.0, 1.0
    fewer = ((n if worth is None else worth) + 1) / (n + 1)
    low, high = betaincinv(k * fewer, (n + 1 - k) * fewer, [tail, 1 - tail])
    return float(low), float(high)


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
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    alpha: float,
    worth: tuple[float, float] | None = None,
) -> RulePower:
    """Measures the rule's power from scores of ranking members (m,) and non-members (n,).

    Args:
        members: scores (m,).
        nonmembers: scores (n,).
        alpha: the rule's.
        worth: how many independent members, and non-members, they are; None for all.
    """
    n, m = len(nonmembers), len(members)
    ours, theirs = worth or (float(m), float(n))
    found = int((p_values(members, nonmembers) <= alpha).sum())
    tpr, fpr = found / len(members), fpr_of_rule(alpha, n)
    times = times_ci = None
    if fpr > 0:
        (low, high), (least, most) = (
            share_interval(found, m, _JOINT, ours),
            fpr_range(alpha, n, _JOINT, theirs),
        )
        times, times_ci = tpr / fpr, (low / most, high / least if least > 0 else math.inf)
    tpr_ci, fpr_ci = share_interval(found, m, 0.95, ours), fpr_range(alpha, n, 0.95, theirs)
    return RulePower(alpha, tpr, tpr_ci, fpr, fpr_ci, times, times_ci)
