"""Metrics of an attack: AUC and TPR at low FPR, with intervals (score high = member).

Everything comes with an interval, and nothing is finer than the data: a false positive rate below
1/n has no answer. The ideas are in `auc` and `detection`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.errors import DataError
from miagym.metrics.auc import Interval, sides
from miagym.metrics.detection import OperatingPoint, tpr_at_fpr, tpr_interval
from miagym.metrics.groups.clustered_auc import auc_of
from miagym.metrics.groups.clusters import effective_sizes, group_codes


@dataclass(frozen=True)
class Detection:
    """Operating point with the interval of its TPR."""

    point: OperatingPoint
    ci: Interval


@dataclass(frozen=True)
class Metrics:
    """Metrics of one attack on one set of candidates."""

    n_members: int
    n_nonmembers: int
    auc: float
    auc_ci: Interval
    tpr_at_fpr: dict[float, Detection | None]
    """By allowed FPR: 0.01 always (None if there are too few non-members), 0.001 if resolvable."""
    effective: tuple[float, float] | None = None
    """How many independent members, and non-members, they are worth; None without groups."""

    def as_row(self) -> dict[str, Any]:
        """Row of results.json: plain numbers, lists and None."""
        worth = self.effective
        return {
            "n_members": self.n_members,
            "n_nonmembers": self.n_nonmembers,
            **({"effective_members": worth[0], "effective_nonmembers": worth[1]} if worth else {}),
            "auc": self.auc,
            "auc_ci": list(self.auc_ci),
            "tpr_at_fpr": {
                str(alpha): found
                and {"tpr": found.point.tpr, "ci": list(found.ci), "fpr": found.point.fpr}
                for alpha, found in self.tpr_at_fpr.items()
            },
        }


def measure(
    scores: ArrayLike, member: NDArray[np.bool_], groups: ArrayLike | None = None
) -> Metrics:
    """Measures AUC and TPR at low FPR of one attack.

    Args:
        scores: (n,), higher = member.
        member: (n,) bool, the truth.
        groups: (n,) the group of each candidate: those of one are not independent.

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
    members, nonmembers = sides(score[member], score[~member])
    codes = group_codes(groups, len(score))
    effective = None if codes is None else effective_sizes(score, member, codes)
    by_side = None if codes is None else (codes[member], codes[~member])
    area, area_ci = auc_of(score, member, codes)
    found: dict[float, Detection | None] = {}
    for alpha in (0.01, 0.001):
        point = tpr_at_fpr(members, nonmembers, alpha)
        interval = tpr_interval(members, nonmembers, alpha, groups=by_side)
        if point is not None and interval is not None:
            found[alpha] = Detection(point, interval)
        elif alpha == 0.01:
            found[alpha] = None
    return Metrics(
        n_members=len(members),
        n_nonmembers=len(nonmembers),
        auc=area,
        auc_ci=area_ci,
        tpr_at_fpr=found,
        effective=effective,
    )
