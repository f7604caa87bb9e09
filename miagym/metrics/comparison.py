"""Paired comparison of two attacks on the same candidates, and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, norm

from miagym.errors import DataError
from miagym.metrics.auc import Interval, Scores, counted, placements, sides
from miagym.metrics.detection import allowed, tpr_at_fpr

ALPHA = 0.01
"""The FPR at which TPR is compared."""
RESAMPLES = 2000
TAIL = 0.025
MAX_CELLS = 2_000_000
"""Most numbers in one array of a bootstrap, which keeps it below some 100 MB."""


@dataclass(frozen=True)
class Difference:
    """Difference of a metric, first attack minus second, with interval and p-value."""

    value: float
    ci: Interval
    """95 %."""
    p: float
    """Two-sided, of the hypothesis that there is no difference; see `holm` for several."""

    def as_row(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {"difference": self.value, "ci": list(self.ci), "p": self.p}


@dataclass(frozen=True)
class Comparison:
    """Comparison of two attacks on the same candidates."""

    n_members: int
    n_nonmembers: int
    auc: Difference
    tpr: Difference | None
    """At FPR <= 0.01; None if there are too few non-members to resolve that."""

    def as_row(self) -> dict[str, Any]:
        """Plain numbers, lists and None."""
        return {
            "n_members": self.n_members,
            "n_nonmembers": self.n_nonmembers,
            "auc": self.auc.as_row(),
            "tpr_at_fpr": {str(ALPHA): self.tpr and self.tpr.as_row()},
        }


def compare(
    first: ArrayLike, second: ArrayLike, member: NDArray[np.bool_], seed: int
) -> Comparison:
    """Compares two attacks by AUC and by TPR at 1 % FPR.

    The coverage of both intervals is measured in docs/benchmarks/intervals.md: that of AUC is 95 %;
    that of TPR is 93 to 99 % with 1,000 candidates or more on each side, and can fall to 90 % with
    200 if separation is strong.

    Args:
        first: scores (n,) of one attack, higher = member, in any unit.
        second: scores (n,) of the other on the same candidates, in the same order.
        member: (n,) bool, the truth.
        seed: of the bootstrap.

    Raises:
        DataError: if shapes or types differ from that, a score is NaN or infinite, or all
            candidates are of one kind.
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    member = np.asarray(member)
    if member.dtype != np.bool_ or member.ndim != 1 or not one.shape == two.shape == member.shape:
        raise DataError(
            "Expected two arrays of scores (n,) and member (n,) of type bool, got "
            f"{one.shape}, {two.shape} and {member.shape} of type {member.dtype}."
        )
    sides(one[member], one[~member])
    sides(two[member], two[~member])
    pairs = np.stack([one, two])
    members, nonmembers = pairs[:, member], pairs[:, ~member]
    return Comparison(
        n_members=members.shape[1],
        n_nonmembers=nonmembers.shape[1],
        auc=_auc_difference(members, nonmembers),
        tpr=_tpr_difference(members, nonmembers, np.random.default_rng(seed)),
    )


def holm(p_values: Sequence[float], among: int = 0) -> list[float]:
    """Holm's (1979) adjusted p-values, valid whatever their dependence.

    The i-th smallest of h is multiplied by h - i + 1, is never below one that was smaller before,
    and never above 1. Rejecting where the result is at most a keeps the chance of any false
    rejection at a. The order is that of the input.

    Args:
        p_values: of the hypotheses that are looked at.
        among: h, where these were picked from more by what the data show; at least their number.

    Raises:
        ValueError: if a value is not between 0 and 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"Expected p-values between 0 and 1, got {list(p_values)}.")
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * (max(among, len(p)) - np.arange(len(p))))
    return np.minimum(adjusted, 1).tolist()


def _auc_difference(members: Scores, nonmembers: Scores) -> Difference:
    """Paired DeLong (1988), from scores (2, m) and (2, n).

    Where the variance is 0 or undefined, k = min(m, n) disjoint pairs still bound the difference:
    by Clopper-Pearson if no candidate is placed differently (so none of k pairs speaks for either
    attack), else by Hoeffding (1963) for a statistic in [-1, 1].
    """
    m, n = members.shape[1], nonmembers.shape[1]
    of_members, of_nonmembers = (
        first - second for first, second in zip(*map(_placed, members, nonmembers), strict=True)
    )
    value = int(of_members.sum()) / (2 * m * n)
    k = min(m, n)
    variance = 0.0
    if k > 1:
        variance = float(of_members.var(ddof=1)) / (4 * n * n * m)
        variance += float(of_nonmembers.var(ddof=1)) / (4 * m * m * n)
    if variance > 0:
        error = math.sqrt(variance)
        margin, p = float(norm.isf(TAIL)) * error, 2 * float(norm.sf(abs(value) / error))
    elif not of_members.any() and not of_nonmembers.any():
        margin, p = 1 - TAIL ** (1 / k), 1.0
    else:
        margin, p = math.sqrt(-2 * math.log(TAIL) / k), 2 * math.exp(-k * value**2 / 2)
    return Difference(value, (max(-1.0, value - margin), min(1.0, value + margin)), min(1.0, p))


def _placed(members: Scores, nonmembers: Scores) -> tuple[NDArray, NDArray]:
    """Placement of each member (m,) and each non-member (n,), doubled, as `placements` counts."""
    _, place = np.unique(np.concatenate([members, nonmembers]), return_inverse=True)
    below, above = placements(*counted(members, nonmembers))
    return below[place[: len(members)]], above[place[len(members) :]]


def _tpr_difference(
    members: Scores, nonmembers: Scores, rng: np.random.Generator
) -> Difference | None:
    """Paired stratified bootstrap, percentiles, from scores (2, m) and (2, n).

    Candidates are drawn, with both scores each. Given the two thresholds of a resample, only how
    many members one attack finds and the other misses matters, and that is multinomial.

    At p-values the resamples are counted on either side of 0, those at 0 on both; the least
    possible is 2 / (RESAMPLES + 1).
    """
    found = (tpr_at_fpr(*scores, ALPHA) for scores in zip(members, nonmembers, strict=True))
    points = [point for point in found if point]
    if not points:
        return None
    m = members.shape[1]
    only = _found_by_one(members, _thresholds(nonmembers, rng))
    shares = np.column_stack([only, m - only.sum(axis=1)]) / m
    drawn = rng.multinomial(m, shares)
    differences = (drawn[:, 0] - drawn[:, 1]) / m
    value = points[0].tpr - points[1].tpr
    low, high = (float(end) for end in np.quantile(differences, [TAIL, 1 - TAIL]))
    observed = np.array([[point.threshold for point in points]])
    if abs(value) == 1 or not _found_by_one(members, observed).any():
        # Resamples of members who all agree show too little spread. In m trials without exception,
        # exceptions as common as this go unseen; at ±1 each of them turns the difference by 2.
        unseen = (1 - TAIL ** (1 / m)) * (1 + abs(value))
        low, high = min(low, max(-1.0, value - unseen)), max(high, min(1.0, value + unseen))
    low, high = min(low, value), max(high, value)
    beyond = min(np.sum(differences <= 0), np.sum(differences >= 0))
    p = min(1.0, 2 * (1 + float(beyond)) / (1 + RESAMPLES))
    return Difference(value, (low, high), p)


def _thresholds(nonmembers: Scores, rng: np.random.Generator) -> Scores:
    """Both thresholds (RESAMPLES, 2) of resampled non-members (2, n).

    The (k+1)-th largest of n draws lies beyond rank r only if at most k draws fall on the r
    largest: Bin(n, r/n) draws do. Where that is rarer than 1e-12, only the r largest of either
    attack need to be drawn; how often each is drawn is multinomial, all the rest being one class.
    """
    # By score and not by place in the input, so that the order of candidates changes nothing.
    nonmembers = nonmembers[:, np.lexsort(nonmembers)]
    n = nonmembers.shape[1]
    k = allowed(ALPHA, n)
    ranks = np.arange(k + 1, n + 1)
    deepest = min(n, k + 1 + int(np.sum(binom.cdf(k, n, ranks / n) >= 1e-12)))
    ranking = np.argsort(-nonmembers, axis=1, kind="stable")[:, :deepest]
    top = np.unique(ranking)
    shares = np.append(np.full(len(top), 1 / n), max(0.0, 1 - len(top) / n))
    order = np.argsort(-nonmembers[:, top], axis=1, kind="stable")[:, :deepest]
    found = np.empty((RESAMPLES, 2))
    rows = max(1, MAX_CELLS // len(shares))
    for start in range(0, RESAMPLES, rows):
        drawn = rng.multinomial(n, shares, size=min(rows, RESAMPLES - start))
        for attack in (0, 1):
            passed = np.cumsum(drawn[:, order[attack]], axis=1) > k
            rank = np.argmax(passed, axis=1)
            found[start : start + rows, attack] = nonmembers[attack, top[order[attack]]][rank]
    return found


def _found_by_one(members: Scores, thresholds: Scores) -> NDArray[np.int64]:
    """How many members (2, m) pass only the first, only the second threshold: (resamples, 2)."""
    either = (members > thresholds.min(axis=0)[:, None]).any(axis=0)
    first, second = members[:, either]
    only = np.empty(thresholds.shape, dtype=np.int64)
    rows = max(1, MAX_CELLS // max(1, len(first)))
    for start in range(0, len(thresholds), rows):
        part = slice(start, start + rows)
        passes_first = first > thresholds[part, :1]
        passes_second = second > thresholds[part, 1:]
        only[part, 0] = np.sum(passes_first & ~passes_second, axis=1)
        only[part, 1] = np.sum(passes_second & ~passes_first, axis=1)
    return only
