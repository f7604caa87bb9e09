"""Grading of verdicts on hands, afterwards, by whoever has the labels of the family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.envs.family.grading import FamilyGrade
from miagym.envs.family.labels import Judged
from miagym.envs.grading.verdicts import Verdicts
from miagym.errors import DataError
from miagym.metrics.brier import brier_rewards
from miagym.metrics.measure import measure
from miagym.metrics.resampling.crossed import (
    MODELS,
    PICTURES,
    grouped_metrics,
    reward_interval,
)
from miagym.metrics.resampling.over_models import MIN_MODELS


def grade_audit(verdicts: Verdicts, data: Dataset | None = None) -> FamilyGrade:
    """Looks the labels of hands up, and grades the verdicts of an audit.

    With eight targets or more all hands about one are a group, and intervals are over models; the
    pictures of the split stay the same. With fewer they are over pictures: then a hand counts only
    if it shares no picture, and no look-alike, with one that counts already.

    Args:
        verdicts: of an environment, or loaded from a file.
        data: the data set, if it was not loaded by a name.

    Raises:
        DataError: if there are none, they are another grader's or about something else, a number
            is none, or all are on one side.
        SettingsError: if a population is not there any more.
    """
    judged, game = Judged.of(verdicts, data, "grade_audit"), verdicts.played
    spent = float(verdicts.spent.sum() / len(judged.first))
    many = len(np.unique(judged.model)) >= MIN_MODELS
    counts = np.arange(len(judged.first)) if many else _apart(judged)
    said, member = verdicts.probability[judged.first[counts]], judged.member[counts]
    if member.all() or not member.any():
        raise DataError(
            f"The {len(member)} hands so far that share no picture are on one side, so there is "
            "nothing to tell apart; play more of them."
        )
    model, reward = judged.model[counts], brier_rewards(said, member)
    groups = model if many else np.arange(len(said))
    return FamilyGrade(
        n_judged=len(said),
        n_split=judged.n_split,
        n_models=len(np.unique(model)),
        intervals_over=MODELS if many else PICTURES,
        metrics=grouped_metrics(said, member, groups) if many else measure(said, member),
        brier_reward=float(reward.mean()),
        brier_reward_ci=reward_interval(reward, groups),
        spent=spent,
        net_reward=float(reward.mean()) - game.price * spent / game.budget,
        played=game,
    )


def _apart(judged: Judged) -> NDArray[np.int64]:
    """Numbers of hands that share no picture with an earlier one of them, whichever the target."""
    seen, found = set[int](), list[int]()
    for i, pictures in enumerate(judged.pictures):
        if seen.isdisjoint(pictures.tolist()):
            seen.update(pictures.tolist())
            found.append(i)
    return np.array(found)
