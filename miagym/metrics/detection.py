"""TPR at a low FPR, with its interval: a point of the ROC curve of the very scores that are judged.

A threshold that was fixed before these scores were seen is another question: see `thresholds`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import bdtrc

from miagym.metrics.auc import Interval, check_share, sides
from miagym.metrics.groups.clusters import Codes, passing_worth


@dataclass(frozen=True)
class OperatingPoint:
    """TPR and FPR of the rule "member if score > threshold"."""

    tpr: float
    """Share of members found, [0, 1]."""
    fpr: float
    """Share of non-members called members, [0, 1]; what was reached, not what was allowed."""
    threshold: float
    """In units of the score."""


def tpr_at_fpr(
    member_scores: ArrayLike, nonmember_scores: ArrayLike, alpha: float
) -> OperatingPoint | None:
    """TPR at an FPR of at most alpha: the most members found while so few non-members pass.

    Exact: the threshold is the (k+1)-th largest non-member score, with k = floor(alpha n), and only
    scores above it pass, so that ties can push the FPR below alpha and never over it.

    Returns:
        None if alpha < 1/n, which n non-members cannot resolve; see `not_resolvable`.

    Raises:
        DataError: if either side is empty or holds NaN or infinity (so do all functions here).
        ValueError: if alpha is not between 0 and 1.
    """
    members, nonmembers = sides(member_scores, nonmember_scores)
    k = allowed(alpha, len(nonmembers))
    if k == 0:
        return None
    threshold = np.sort(nonmembers)[::-1][k]
    return OperatingPoint(
        tpr=float(np.mean(members > threshold)),
        fpr=float(np.mean(nonmembers > threshold)),
        threshold=float(threshold),
    )


def tpr_interval(
    member_scores: ArrayLike,
    nonmember_scores: ArrayLike,
    alpha: float,
    confidence: float = 0.95,
    groups: tuple[Codes, Codes] | None = None,
) -> Interval | None:
    """Interval of the TPR at the population's own threshold, the lowest one with FPR <= alpha.

    That threshold is unknown, but how many of n non-members lie above it is not: B ~ Bin(n, alpha)
    (ties broken at random). Were B known, the threshold would lie between the B-th and the (B+1)-th
    largest non-member, so that between s(B) and s'(B) of m members pass it, and a TPR of x would
    have the mid p-value [P(Bin(m, x) >= s) + P(Bin(m, x) > s')] / 2. Its mean over B is a
    confidence distribution of the TPR, and the interval lies between its quantiles. That is melding
    (Fay, Proschan & Brittain 2015, Biometrics 71) of the rank of the threshold with the binomial of
    the members. It draws nothing, needs no seed, and assumes nothing about the scores.

    docs/benchmarks/validity/intervals.md has its coverage: 94 to 98 % with 1,000 or more on each
    side, for normal, heavy-tailed and rounded scores; 98 to 100 % with 200, where nothing shorter
    is right for all of them. With (1 - alpha)^n > 1 - confidence (fewer than 299 non-members at
    1 %) it begins at 0: all n may well lie below the threshold, and what lies above is unknown.

    Candidates in groups say as much as fewer independent ones (Korn & Graubard 1998 do so for a
    share). B is then of so many non-members, each of which stands for several ranks, and of so many
    members a share passes; where that is no whole number it is rounded away from the middle.

    Args:
        member_scores: (m,), higher = member.
        nonmember_scores: (n,).
        alpha: the FPR that is allowed, in (0, 1).
        confidence: in (0, 1).
        groups: of the members (m,), and of the non-members (n,); None if all are independent.

    Returns:
        None if alpha < 1/n. The interval always holds the TPR that `tpr_at_fpr` gives.
    """
    from scipy.stats import binom

    members, nonmembers = sides(member_scores, nonmember_scores)
    check_share("confidence", confidence)
    point = tpr_at_fpr(members, nonmembers, alpha)
    if point is None:
        return None
    ours, theirs = len(members), len(nonmembers)
    m, n = ours, theirs
    if groups is not None:
        worth = passing_worth(members, nonmembers, groups, point.threshold)
        m, n = (math.floor(each) for each in worth)
    tail = (1 - confidence) / 2
    first, last = binom.ppf(1e-9, n, alpha), binom.isf(1e-9, n, alpha)
    above = np.arange(int(first), int(last) + 1)
    weight = binom.pmf(above, n, alpha)
    ends = np.concatenate([[np.inf], np.sort(nonmembers)[::-1], [-np.inf]])
    ascending = np.sort(members)
    # Whole numbers, so that with m = ours and n = theirs nothing rounds.
    begin, end = above * theirs // n, np.minimum(-(-(above + 1) * theirs // n), theirs + 1)
    surely = ours - np.searchsorted(ascending, ends[begin], side="right")
    perhaps = ours - np.searchsorted(ascending, ends[end], side="right")
    surely, perhaps = surely * m // ours, -(-perhaps * m // ours)

    def belief(tpr: float) -> float:
        """That the TPR is at most this much."""
        return float(weight @ (bdtrc(surely - 1, m, tpr) + bdtrc(perhaps, m, tpr))) / 2

    low, high = _quantile(belief, tail), _quantile(belief, 1 - tail)
    return min(low, point.tpr), max(high, point.tpr)


def not_resolvable(n_nonmembers: int) -> str:
    """Sentence for an FPR that so few non-members cannot resolve."""
    return f"not resolvable with n = {n_nonmembers}"


def allowed(alpha: float, n: int) -> int:
    """The largest number of n non-members whose share is at most alpha: floor(alpha n), exactly.

    The product rounds (0.29 * 100 is below 29), so the shares that are reported are compared.
    """
    check_share("alpha", alpha)
    k = math.floor(alpha * n)
    return k + 1 if (k + 1) / n <= alpha else k - 1 if k / n > alpha else k


def _quantile(distribution: Callable[[float], float], share: float) -> float:
    """Where a distribution on [0, 1] that may jump at either end reaches a share."""
    if distribution(0.0) >= share:
        return 0.0
    if distribution(1.0) <= share:
        return 1.0
    return float(brentq(lambda value: distribution(value) - share, 0.0, 1.0))  # pyright: ignore
