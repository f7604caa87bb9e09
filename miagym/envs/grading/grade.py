"""Grading of verdicts, afterwards, by whoever has the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.envs.grading.checks import check_handed, check_verdicts
from miagym.envs.grading.played import Played
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.sampler import rows_of, shared_data
from miagym.errors import DataError
from miagym.metrics.auc import Interval
from miagym.metrics.brier import brier_rewards, on_the_right_side
from miagym.metrics.groups.group_bootstrap import group_intervals, mean_intervals
from miagym.metrics.intervals import share_interval
from miagym.metrics.measure import Metrics, measure

BINS = 10


@dataclass(frozen=True)
class Grade:
    """Grade of verdicts. A candidate judged several times counts once, with its first verdict.

    All intervals are of 95 %. Where the data know groups of look-alikes, which are no independent
    evidence, those of AUC and TPR are of groups (see `metrics.groups.clusters`), and the others at
    least as wide as when whole groups are drawn anew.
    """

    n_verdicts: int
    n_candidates: int
    """How many were judged."""
    n_split: int
    """How many there are. An agent that has judged fewer may have chosen the easy ones."""
    metrics: Metrics
    """AUC and TPR@FPR of the probabilities as scores."""
    brier_reward: float
    """Mean of 1 - 4 (p - y)²: 0 for an agent that knows nothing and says so."""
    brier_reward_ci: Interval
    accuracy: float
    """Share of candidates on the right side of one half; exactly one half counts half."""
    accuracy_ci: Interval
    calibration_error: float
    """Mean distance between what was said and what was so, over ten groups of equal size."""
    spent: float
    """UNet rows a candidate, on average: all that was spent on it, in all of its episodes."""
    net_reward: float
    """`brier_reward` less the price of what was spent: the return that `train` would have paid."""
    played: Played
    """Which model was asked, under which rules: grades of other games are no comparison."""


def grade(verdicts: Verdicts, data: Dataset | None = None) -> Grade:
    """Looks the labels up and grades verdicts.

    Args:
        verdicts: of an environment, or loaded from a file.
        data: the data set, if it was not loaded by a name.

    Raises:
        DataError: if there are no verdicts, or of one side only, a number is none, another grader
            grades them, or a candidate is not in the split that the verdicts name.
    """
    check_verdicts(verdicts, "grade")
    check_handed(verdicts, data, "grade")
    data = shared_data(verdicts.data) if data is None else data
    known = _rows(data, verdicts.split, verdicts.size)
    if unknown := set(verdicts.candidate) - known.keys():
        raise DataError(
            f"{len(unknown)} of the candidates are not in {data.name}, {verdicts.split}; grade "
            "with the data that the environment was made with."
        )
    keys, first = np.unique(np.array(verdicts.candidate), return_index=True)
    probability = verdicts.probability[first]
    rows = np.array([known[key] for key in keys])
    member = data.member[rows]
    if member.all() or not member.any():
        side = "members" if member.all() else "non-members"
        raise DataError(
            f"All {len(keys)} candidates judged so far are {side}, so there is nothing to tell "
            "apart; play more episodes."
        )
    groups = None if data.groups is None else data.groups[rows]
    drawn = None if groups is None else group_intervals(probability, member, groups)
    reward, right = brier_rewards(probability, member), on_the_right_side(probability, member)
    each = mean_intervals(reward[:, None], None)[0]
    accuracy_ci = share_interval(round(right.sum()), len(right))
    spent, game = float(verdicts.spent.sum() / len(keys)), verdicts.played
    return Grade(
        n_verdicts=len(verdicts),
        n_candidates=len(keys),
        n_split=len(known),
        metrics=measure(probability, member, groups),
        brier_reward=float(reward.mean()),
        brier_reward_ci=_wider(each, drawn and drawn.brier_reward),
        accuracy=float(right.mean()),
        accuracy_ci=_wider(accuracy_ci, drawn and drawn.accuracy),
        calibration_error=calibration_error(probability, member),
        spent=spent,
        net_reward=float(reward.mean()) - game.price * spent * game.candidates / game.budget,
        played=game,
    )


def calibration_error(probability: NDArray[np.float64], member: NDArray[np.bool_]) -> float:
    """Expected calibration error over `BINS` groups of equal size, in order of the probability."""
    order = np.argsort(probability, kind="stable")
    groups = np.array_split(order, min(BINS, len(order)))
    gaps = [len(g) * abs(probability[g].mean() - member[g].mean()) for g in groups]
    return float(sum(gaps) / len(order))


def _rows(data: Dataset, split: str, size: int) -> dict[str, int]:
    """Rows of a split by the keys of their candidates."""
    rows = rows_of(data, split)
    return dict(zip(data.candidates(rows, size).keys, map(int, rows), strict=True))


def _wider(one: Interval, other: Interval | None) -> Interval:
    return one if other is None else (min(one[0], other[0]), max(one[1], other[1]))
