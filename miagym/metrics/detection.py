"""True and false positive rates of thresholds, with their intervals.

Two questions look alike and are not. `tpr_at_fpr` and `tpr_interval` read a point off the ROC curve
of the very scores that are judged. `at_threshold` judges a threshold that was fixed before these
scores were seen, by `balanced_threshold` or `threshold_for` on a calibration split.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import bdtrc
from scipy.stats import binom

from miagym.metrics.auc import Interval, check_share, counted, sides
from miagym.metrics.clusters import Codes, effective_passing
from miagym.metrics.intervals import share_interval


@dataclass(frozen=True)
class OperatingPoint:
    """TPR and FPR of the rule "member if score > threshold"."""

    tpr: float
    """Share of members found, [0, 1]."""
    fpr: float
    """Share of non-members called members, [0, 1]; what was reached, not what was allowed."""
    threshold: float
    """In units of the score."""


@dataclass(frozen=True)
class ThresholdResult:
    """Rates on fresh candidates of a threshold that was fixed on others."""

    n_members: int
    n_nonmembers: int
    threshold: float
    """In units of the score; a candidate passes if it scores above."""
    tpr: float
    tpr_ci: Interval
    """Clopper-Pearson: covers at least as often as it promises, for any scores."""
    fpr: float
    fpr_ci: Interval
    """Clopper-Pearson."""
    balanced_accuracy: float
    """Mean of TPR and 1 - FPR, [0, 1]; 0.5 is chance."""
    balanced_accuracy_ci: Interval

    def as_row(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in vars(self).items()}


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

    docs/benchmarks/intervals.md has its coverage: 94 to 98 % with 1,000 or more on each side, for
    normal, heavy-tailed and rounded scores; 98 to 100 % with 200, where nothing shorter is right
    for all of them. With (1 - alpha)^n > 1 - confidence (fewer than 299 non-members at 1 %) it
    begins at 0: all n may well lie below the threshold, and what lies above them is unknown.

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
    members, nonmembers = sides(member_scores, nonmember_scores)
    check_share("confidence", confidence)
    point = tpr_at_fpr(members, nonmembers, alpha)
    if point is None:
        return None
    ours, theirs = len(members), len(nonmembers)
    m, n = ours, theirs
    if groups is not None:
        worth = _worth(members, nonmembers, groups, point.threshold)
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


def balanced_threshold(member_scores: ArrayLike, nonmember_scores: ArrayLike) -> float:
    """Threshold of the best balanced accuracy on the calibration split.

    Of several that are equally good it is the highest, which accuses the fewest. Where nothing
    beats chance that is the highest score of all: nobody passes.
    """
    members, nonmembers = sides(member_scores, nonmember_scores)
    of_members, of_nonmembers = counted(members, nonmembers)
    found = len(members) - np.cumsum(of_members)
    accused = len(nonmembers) - np.cumsum(of_nonmembers)
    # Whole numbers, so that equally good is equal.
    gain = len(nonmembers) * found - len(members) * accused
    distinct = np.unique(np.concatenate([members, nonmembers]))
    return float(distinct[np.flatnonzero(gain == gain.max())[-1]])


def threshold_for(nonmember_scores: ArrayLike, alpha: float) -> float | None:
    """Lowest threshold that a fresh non-member passes with chance <= alpha, from calibration ones.

    A fresh non-member and the n of the calibration split are exchangeable: its rank among all n + 1
    is uniform. It lies above the j-th largest of the n only if it is among the j largest of the
    n + 1, which has a chance of j / (n + 1), less under ties. So j = floor(alpha (n + 1)). The
    threshold of `tpr_at_fpr`, on which exactly floor(alpha n) of its own n fall, is one rank lower,
    and fresh non-members pass it a little more often than alpha.

    Returns:
        None if alpha < 1 / (n + 1): then no score of the n is high enough.
    """
    nonmembers, _ = sides(nonmember_scores, nonmember_scores)
    j = allowed(alpha, len(nonmembers) + 1)
    return float(np.sort(nonmembers)[-j]) if j else None


def at_threshold(
    member_scores: ArrayLike,
    nonmember_scores: ArrayLike,
    threshold: float,
    groups: tuple[Codes, Codes] | None = None,
) -> ThresholdResult:
    """Rates of "member if score > threshold" for a threshold from other data than these.

    The interval of the balanced accuracy adds the distances to the two Clopper-Pearson ends as
    independent errors add (square and add: Newcombe 1998; Zou & Donner 2008), and so errs on the
    wide side as they do. Of groups it is said as in `tpr_interval`.
    """
    members, nonmembers = sides(member_scores, nonmember_scores)
    if not math.isfinite(threshold):
        raise ValueError(f"Expected a finite threshold, got {threshold}.")
    worth = float(len(members)), float(len(nonmembers))
    if groups is not None:
        worth = _worth(members, nonmembers, groups, threshold)
    tpr, tpr_ci = _share_above(members, threshold, worth[0])
    fpr, fpr_ci = _share_above(nonmembers, threshold, worth[1])
    accuracy = (tpr + 1 - fpr) / 2
    below = math.hypot(tpr - tpr_ci[0], fpr_ci[1] - fpr) / 2
    above = math.hypot(tpr_ci[1] - tpr, fpr - fpr_ci[0]) / 2
    return ThresholdResult(
        n_members=len(members),
        n_nonmembers=len(nonmembers),
        threshold=float(threshold),
        tpr=tpr,
        tpr_ci=tpr_ci,
        fpr=fpr,
        fpr_ci=fpr_ci,
        balanced_accuracy=accuracy,
        balanced_accuracy_ci=(max(0.0, accuracy - below), min(1.0, accuracy + above)),
    )


def allowed(alpha: float, n: int) -> int:
    """The largest number of n non-members whose share is at most alpha: floor(alpha n), exactly.

    The product rounds (0.29 * 100 is below 29), so the shares that are reported are compared.
    """
    check_share("alpha", alpha)
    k = math.floor(alpha * n)
    return k + 1 if (k + 1) / n <= alpha else k - 1 if k / n > alpha else k


def _worth(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    groups: tuple[Codes, Codes],
    threshold: float,
) -> tuple[float, float]:
    """How many independent members, and non-members, say as much about who passes."""
    return (
        effective_passing(members, groups[0], threshold),
        effective_passing(nonmembers, groups[1], threshold),
    )


def _share_above(scores: np.ndarray, threshold: float, worth: float) -> tuple[float, Interval]:
    passed = int((scores > threshold).sum())
    return passed / len(scores), share_interval(passed, len(scores), effective=worth)


def _quantile(distribution: Callable[[float], float], share: float) -> float:
    """Where a distribution on [0, 1] that may jump at either end reaches a share."""
    if distribution(0.0) >= share:
        return 0.0
    if distribution(1.0) <= share:
        return 1.0
    return float(brentq(lambda value: distribution(value) - share, 0.0, 1.0))  # pyright: ignore
