"""Metrics of pairs of a model and a picture, with intervals that hold for others of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from miagym.metrics.auc import Interval
from miagym.metrics.groups.clustered_auc import ClusteredScores
from miagym.metrics.groups.clusters import Codes, group_numbers
from miagym.metrics.measure import Detection, Metrics, measure

MODELS, PICTURES = "models", "pictures"
TAIL = 0.025
REWARDS = (-3.0, 1.0)
"""Range of a Brier reward."""


def crossed_metrics(
    scores: NDArray[np.float64],
    member: NDArray[np.bool_],
    models: NDArray[np.integer],
    pictures: NDArray[np.integer],
) -> Metrics:
    """Metrics of scores (n,), with intervals over models (n,) and over pictures (n,).

    What differs between models and what differs between pictures are two kinds of luck: each makes
    an interval of groups, and the squares of their arms add, end by end (method of variance
    estimates recovery, Zou and Donner 2008, Stat. Med. 27). A pair's own luck is counted in both,
    so that the interval is mildly conservative.

    Raises:
        DataError: as `measure`.
    """
    ours, theirs = (grouped_metrics(scores, member, groups) for groups in (models, pictures))
    found: dict[float, Detection | None] = {}
    for alpha, one in ours.tpr_at_fpr.items():
        other = theirs.tpr_at_fpr[alpha]
        found[alpha] = one
        if one is not None and other is not None:
            ci = both(one.point.tpr, (one.ci, other.ci), (0.0, 1.0))
            found[alpha] = replace(one, ci=ci)
    effective = [one.effective for one in (ours, theirs) if one.effective is not None]
    return replace(
        ours,
        auc_ci=both(ours.auc, (ours.auc_ci, theirs.auc_ci), (0.0, 1.0)),
        tpr_at_fpr=found,
        effective=min(effective, default=None),
    )


def grouped_metrics(
    scores: NDArray[np.float64], member: NDArray[np.bool_], groups: NDArray[np.integer]
) -> Metrics:
    """Metrics of scores (n,), with intervals over groups (n,) of which each holds both sides.

    As `measure`, but that the interval of the AUC is by a jackknife on the logit scale, with
    Student's t: where a group holds both sides its own AUC is seen, and eight of them tell how far
    a ninth would differ. Where the AUC is 0 or 1, or a group all that there is of one side, the
    interval is that of `measure`, which is wider.

    Raises:
        DataError: as `measure`.
    """
    found, codes = measure(scores, member, groups), group_numbers(groups)
    without = aucs_without(scores, member, codes)
    if len(without) < 2 or not np.all((without > 0) & (without < 1)) or not 0 < found.auc < 1:
        return found
    arm = half_width(logit(without))
    low, high = expit(logit(found.auc) + np.array([-arm, arm])).tolist()
    return replace(found, auc_ci=(low, high))


def both(point: float, ends: Sequence[Interval], limits: Interval) -> Interval:
    """Interval over two kinds of luck, of which each makes one around a point."""
    below, above = (
        math.hypot(*arms)
        for arms in zip(*((point - low, high - point) for low, high in ends), strict=True)
    )
    return max(limits[0], point - below), min(limits[1], point + above)


def reward_interval(
    rewards: NDArray[np.float64], groups: NDArray[np.integer], limits: Interval = REWARDS
) -> Interval:
    """95 % interval of the mean of Brier rewards (n,), over groups (n,), of which there are few.

    By a jackknife that leaves a group out, with Student's t: percentiles of a bootstrap are too
    narrow for eight groups. A point where all rewards are equal; all of the limits with one group.

    Args:
        rewards: or differences of such.
        groups: of each.
        limits: between which they can be.
    """
    point = float(rewards.mean())
    if np.ptp(rewards) == 0:
        return point, point
    codes = group_numbers(groups)
    k = int(codes.max()) + 1
    if k == 1:
        return limits
    sums, sizes = np.bincount(codes, rewards), np.bincount(codes)
    arm = half_width((rewards.sum() - sums) / (len(rewards) - sizes))
    return max(limits[0], point - arm), min(limits[1], point + arm)


def crossed_reward_interval(
    rewards: NDArray[np.float64],
    models: NDArray[np.integer],
    pictures: NDArray[np.integer],
    limits: Interval = REWARDS,
) -> Interval:
    """The same over models (n,) and over pictures (n,)."""
    each = [reward_interval(rewards, groups, limits) for groups in (models, pictures)]
    return both(float(rewards.mean()), each, limits)


def standard_error(without: NDArray[np.float64]) -> float:
    """Standard error of a number, from what it is without each of k groups (k,): a jackknife."""
    k = len(without)
    return math.sqrt((k - 1) / k * float(((without - without.mean()) ** 2).sum()))


def half_width(without: NDArray[np.float64]) -> float:
    """Half the 95 % interval of a number, from what it is without each of k groups (k,)."""
    return float(stdtrit(len(without) - 1, 1 - TAIL)) * standard_error(without)


def aucs_without(
    scores: NDArray[np.float64], member: NDArray[np.bool_], codes: Codes
) -> NDArray[np.float64]:
    """AUC without each group (k,); not a number where nothing is left of a side.

    What is left are all pairs but those of a group's members and of its non-members, among which
    the pairs within it would be taken off twice.
    """
    placed = ClusteredScores.of(scores, codes).placed(member)  # twice the pairs that each wins
    k = int(codes.max()) + 1
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(codes, minlength=k))[:-1])
    within = np.array([_wins(scores[some], member[some]) for some in rows])
    wins = placed[member].sum() - np.bincount(codes, placed, minlength=k) + within
    left = (np.bincount(codes[~side], minlength=k) for side in (member, ~member))
    theirs, ours = ((~side).sum() - n for side, n in zip((member, ~member), left, strict=True))
    pairs = 2 * ours * theirs
    return np.divide(wins, pairs, out=np.full(k, np.nan), where=pairs > 0)


def _wins(scores: NDArray[np.float64], member: NDArray[np.bool_]) -> float:
    """Twice the pairs of a member and a non-member that the member wins; ties count once."""
    if member.all() or not member.any():
        return 0.0
    codes = np.zeros(len(scores), dtype=np.intp)
    return float(ClusteredScores.of(scores, codes).placed(member)[member].sum())
