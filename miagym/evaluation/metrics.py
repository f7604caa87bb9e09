"""How well scores tell members from non-members: score high = member, positive = member.

Everything reads two arrays, `member_scores (m,)` and `nonmember_scores (n,)`, and comes with an
interval. Nothing here is finer than the data: a false positive rate below 1/n has no answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata
from sklearn.metrics import roc_curve

from miagym.errors import DataError

Interval = tuple[float, float]


@dataclass(frozen=True)
class OperatingPoint:
    """What the rule "member if score > threshold" does."""

    tpr: float
    """Share of members found, [0, 1]."""
    fpr: float
    """Share of non-members called members, [0, 1]; what was reached, not what was allowed."""
    threshold: float
    """In units of the score."""


@dataclass(frozen=True)
class Detection:
    """An operating point and the interval of its TPR."""

    point: OperatingPoint
    ci: Interval


@dataclass(frozen=True)
class Metrics:
    """Everything measured about one attack on one set of candidates."""

    n_members: int
    n_nonmembers: int
    auc: float
    auc_ci: Interval
    tpr_at_fpr: dict[float, Detection | None]
    """By allowed FPR: 0.01 always (None if there are too few non-members), 0.001 if resolvable."""

    def as_row(self) -> dict[str, Any]:
        """The metrics as they stand in results.json: plain numbers, lists and None."""
        return {
            "n_members": self.n_members,
            "n_nonmembers": self.n_nonmembers,
            "auc": self.auc,
            "auc_ci": list(self.auc_ci),
            "tpr_at_fpr": {
                str(alpha): found
                and {"tpr": found.point.tpr, "ci": list(found.ci), "fpr": found.point.fpr}
                for alpha, found in self.tpr_at_fpr.items()
            },
        }


def auc(member_scores: ArrayLike, nonmember_scores: ArrayLike) -> float:
    """Probability that a member scores above a non-member; a tie counts half.

    Raises:
        DataError: if either side is empty or holds NaN or infinity (so do all functions here).
    """
    members, nonmembers = _checked(member_scores, nonmember_scores)
    m, n = len(members), len(nonmembers)
    ranks = rankdata(np.concatenate([members, nonmembers]))
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def auc_interval(
    member_scores: ArrayLike, nonmember_scores: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Interval of the AUC: DeLong (1988) by midranks (Sun & Xu 2014), on the logit scale.

    The logit keeps it within [0, 1], but knows nothing where the variance is 0 or undefined. There
    k = min(m, n) disjoint pairs of a member and a non-member, which are independent and right with
    probability AUC, still bound it, conservatively:

    - an AUC of 1 is k successes in k trials, hence at least (a/2)^(1/k) with a = 1 - confidence
      (Clopper-Pearson; about 1 - 3.7/k), and an AUC of 0 is its mirror image;
    - otherwise (all scores tied, or a side with one score) it is Hoeffding's bound,
      AUC ± sqrt(log(2/a) / 2k), cut to [0, 1].
    """
    members, nonmembers = _checked(member_scores, nonmember_scores)
    _check_share("confidence", confidence)
    point, tail = auc(members, nonmembers), (1 - confidence) / 2
    variance, k = _delong_variance(members, nonmembers), min(len(members), len(nonmembers))
    if point in (0.0, 1.0):
        bound = tail ** (1 / k)
        return (bound, 1.0) if point == 1.0 else (0.0, 1 - bound)
    if variance == 0 or k == 1:
        margin = math.sqrt(-math.log(tail) / (2 * k))
        return max(0.0, point - margin), min(1.0, point + margin)
    margin = norm.isf(tail) * math.sqrt(variance) / (point * (1 - point))
    low, high = expit(logit(point) + np.array([-margin, margin]))
    return min(float(low), point), max(float(high), point)


def tpr_at_fpr(
    member_scores: ArrayLike, nonmember_scores: ArrayLike, alpha: float
) -> OperatingPoint | None:
    """The most members that a threshold finds while at most a share alpha of non-members pass.

    Exact: the threshold is the (k+1)-th largest non-member score, with k = floor(alpha n), and only
    scores above it pass, so that ties can push the FPR below alpha and never over it.

    Returns:
        None if alpha < 1/n, which n non-members cannot resolve.

    Raises:
        ValueError: if alpha is not between 0 and 1.
    """
    members, nonmembers = _checked(member_scores, nonmember_scores)
    k = _allowed(alpha, len(nonmembers))
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
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval | None:
    """Interval of the TPR at FPR <= alpha: stratified bootstrap, percentiles; None if unresolvable.

    Members and non-members are resampled apart, so that the interval holds the uncertainty of the
    threshold too. No resample is ever laid out, which keeps memory at O(m + n + resamples): the
    (k+1)-th largest of n draws has a rank of floor(n U) with U ~ Beta(k+1, n-k), and how many of m
    drawn members exceed it is binomial. Both are exact, ties included.

    Resampling nothing but hits, or nothing but misses, shows no spread: at a TPR of 0 or 1 the
    Clopper-Pearson bound of m trials widens that end.
    """
    members, nonmembers = (np.sort(side) for side in _checked(member_scores, nonmember_scores))
    _check_share("confidence", confidence)
    m, n, tail = len(members), len(nonmembers), (1 - confidence) / 2
    point = tpr_at_fpr(members, nonmembers, alpha)
    if point is None:
        return None
    k, rng = _allowed(alpha, n), np.random.default_rng(seed)
    rank = np.minimum((n * rng.beta(k + 1, n - k, resamples)).astype(int), n - 1)
    passed = m - np.searchsorted(members, nonmembers[::-1][rank], side="right")
    low, high = np.quantile(rng.binomial(m, passed / m) / m, [tail, 1 - tail])
    bound = tail ** (1 / m)
    low = min(low, bound) if point.tpr == 1 else low
    high = max(high, 1 - bound) if point.tpr == 0 else high
    return float(low), float(high)


def roc(
    member_scores: ArrayLike, nonmember_scores: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true positive rates (p,) at every threshold, from (0, 0) to (1, 1).

    No point is dropped: without the collinear ones, TPR at an FPR is read too low under ties.
    """
    members, nonmembers = _checked(member_scores, nonmember_scores)
    label = np.repeat([1, 0], [len(members), len(nonmembers)])
    scores = np.concatenate([members, nonmembers])
    fpr, tpr, _ = roc_curve(label, scores, drop_intermediate=False)
    return np.asarray(fpr, dtype=np.float64), np.asarray(tpr, dtype=np.float64)


def measure(scores: ArrayLike, member: NDArray[np.bool_], seed: int) -> Metrics:
    """Measures one attack.

    Args:
        scores: (n,), higher = member.
        member: (n,) bool, the truth.
        seed: of the bootstrap.

    Raises:
        DataError: if shapes or types differ from that, a score is NaN or infinite, or all
            candidates are of one kind.
    """
    score, member = np.asarray(scores, dtype=np.float64), np.asarray(member)
    if member.dtype != np.bool_ or score.ndim != 1 or score.shape != member.shape:
        raise DataError(
            "Expected scores (n,) and member (n,) of type bool, "
            f"got {score.shape} and {member.shape} of type {member.dtype}."
        )
    members, nonmembers = score[member], score[~member]
    found: dict[float, Detection | None] = {}
    for alpha in (0.01, 0.001):
        point = tpr_at_fpr(members, nonmembers, alpha)
        interval = tpr_interval(members, nonmembers, alpha, seed)
        if point is not None and interval is not None:
            found[alpha] = Detection(point, interval)
        elif alpha == 0.01:
            found[alpha] = None
    return Metrics(
        n_members=len(members),
        n_nonmembers=len(nonmembers),
        auc=auc(members, nonmembers),
        auc_ci=auc_interval(members, nonmembers),
        tpr_at_fpr=found,
    )


def _delong_variance(members: NDArray[np.float64], nonmembers: NDArray[np.float64]) -> float:
    """Variance of the AUC from placements, the share of the other side that each score beats."""
    m, n = len(members), len(nonmembers)
    ranks = rankdata(np.concatenate([members, nonmembers]))
    placements = (ranks[:m] - rankdata(members)) / n, (ranks[m:] - rankdata(nonmembers)) / m
    # The mean of equal placements can round, so that their computed variance is not quite 0.
    return sum(float(v.var(ddof=1)) / len(v) for v in placements if np.ptp(v) > 0)


def _allowed(alpha: float, n: int) -> int:
    """The largest number of n non-members whose share is at most alpha: floor(alpha n), exactly.

    The product rounds (0.29 * 100 is below 29), so the shares that are reported are compared.
    """
    _check_share("alpha", alpha)
    k = math.floor(alpha * n)
    return k + 1 if (k + 1) / n <= alpha else k - 1 if k / n > alpha else k


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"Expected {name} between 0 and 1, got {value}.")


def _checked(
    member_scores: ArrayLike, nonmember_scores: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    members = np.asarray(member_scores, dtype=np.float64)
    nonmembers = np.asarray(nonmember_scores, dtype=np.float64)
    for name, scores in (("member", members), ("non-member", nonmembers)):
        if scores.ndim != 1 or len(scores) == 0:
            raise DataError(
                f"Expected {name} scores of shape (n,) with n >= 1, got shape {scores.shape}; "
                "members and non-members are both needed."
            )
        if not np.isfinite(scores).all():
            raise DataError(
                f"{int((~np.isfinite(scores)).sum())} of {len(scores)} {name} scores are NaN or "
                "infinite; an attack must give every candidate a finite score."
            )
    return members, nonmembers
