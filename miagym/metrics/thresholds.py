"""Thresholds that are fixed on a calibration split, and what they do on fresh candidates.

The point of a ROC curve of the very scores that are judged is another question: see `detection`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from miagym.metrics.auc import Interval, counted, sides
from miagym.metrics.detection import allowed
from miagym.metrics.groups.clusters import Codes, passing_worth
from miagym.metrics.intervals import share_interval


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
        worth = passing_worth(members, nonmembers, groups, threshold)
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


def _share_above(scores: np.ndarray, threshold: float, worth: float) -> tuple[float, Interval]:
    passed = int((scores > threshold).sum())
    return passed / len(scores), share_interval(passed, len(scores), effective=worth)
