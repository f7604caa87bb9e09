"""Paired comparison of two attacks on the same candidates, and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from miagym.errors import DataError
from miagym.metrics.auc import Interval, Scores, sides
from miagym.metrics.comparisons.paired_bootstrap import ALPHA, TAIL, tpr_difference
from miagym.metrics.groups.clustered_auc import ClusteredScores, variance_of
from miagym.metrics.groups.clusters import Codes, group_codes


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
    first: ArrayLike,
    second: ArrayLike,
    member: NDArray[np.bool_],
    seed: int,
    groups: ArrayLike | None = None,
) -> Comparison:
    """Compares two attacks by AUC and by TPR at 1 % FPR.

    The coverage of both intervals is measured in docs/benchmarks/validity/intervals.md: that of AUC
    is 95 %; that of TPR is 93 to 99 % with 1,000 candidates or more on each side, and can fall to
    90 % with 200 if separation is strong.

    Args:
        first: scores (n,) of one attack, higher = member, in any unit.
        second: scores (n,) of the other on the same candidates, in the same order.
        member: (n,) bool, the truth.
        seed: of the bootstrap.
        groups: (n,) the group of each candidate: those of one are not independent.

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
    pairs, codes = np.stack([one, two]), group_codes(groups, len(member))
    tpr = tpr_difference(pairs, member, seed, codes)
    return Comparison(
        n_members=int(member.sum()),
        n_nonmembers=int((~member).sum()),
        auc=_auc_difference(pairs, member, codes),
        tpr=tpr and Difference(*tpr),
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


def _auc_difference(pairs: Scores, member: NDArray[np.bool_], codes: Codes | None) -> Difference:
    """Paired DeLong (1988), or with groups Obuchowski (1997), from scores (2, n).

    Where the variance is 0 or undefined, k = min(m, n) disjoint pairs still bound the difference:
    by Clopper-Pearson if no candidate is placed differently (so none of k pairs speaks for either
    attack), else by Hoeffding (1963) for a statistic in [-1, 1].
    """
    alone = np.arange(len(member))
    one, two = (ClusteredScores.of(scores, alone).placed(member) for scores in pairs)
    placed = one - two
    of_members, of_nonmembers = placed[member], placed[~member]
    m, n = len(of_members), len(of_nonmembers)
    value = int(of_members.sum()) / (2 * m * n)
    freedom, k = math.inf, min(m, n)
    variance = 0.0
    if codes is not None:
        deviation = placed / np.where(member, 2 * n, 2 * m) - value
        found = variance_of(deviation, member, codes)
        variance, freedom, k = found.total, found.joint_freedom, found.pairs
    elif k > 1:
        variance = float(of_members.var(ddof=1)) / (4 * n * n * m)
        variance += float(of_nonmembers.var(ddof=1)) / (4 * m * m * n)
    if variance > 0 and k > 1:
        error = math.sqrt(variance)
        far = abs(value) / error
        if math.isinf(freedom):
            margin, p = -float(ndtri(TAIL)) * error, 2 * float(ndtr(-far))
        else:
            margin, p = -float(stdtrit(freedom, TAIL)) * error, 2 * float(stdtr(freedom, -far))
    elif not of_members.any() and not of_nonmembers.any():
        margin, p = 1 - TAIL ** (1 / k), 1.0
    else:
        margin, p = math.sqrt(-2 * math.log(TAIL) / k), 2 * math.exp(-k * value**2 / 2)
    return Difference(value, (max(-1.0, value - margin), min(1.0, value + margin)), min(1.0, p))
