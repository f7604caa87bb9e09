"""Conformal p-values: the share of known non-members that score at least as high as a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from miagym.errors import DataError

Interval = tuple[float, float]
_ROUNDING = 1e-9


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


def fpr_range(alpha: float, n: int, confidence: float = 0.95) -> Interval:
    """Interval of the rule's false positive rate under a single calibration.

    Of scores without ties it is Beta(k, n + 1 - k) over calibrations, k = floor(alpha (n + 1))
    (Vovk 2012); with ties it is lower. (0, 0) where n cannot resolve alpha.
    """
    k, tail = passing(alpha, n), (1 - confidence) / 2
    if k == 0:
        return 0.0, 0.0
    low, high = beta.ppf([tail, 1 - tail], k, n + 1 - k)
    return float(low), float(high)
