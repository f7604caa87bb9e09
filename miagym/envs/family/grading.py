"""Grading of verdicts about a family, with intervals over models where there are many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from miagym.data.dataset import Dataset
from miagym.envs.family.labels import Judged
from miagym.envs.grading.played import Played
from miagym.envs.grading.verdicts import Verdicts
from miagym.metrics.auc import Interval
from miagym.metrics.brier import brier_rewards
from miagym.metrics.measure import Metrics, measure
from miagym.metrics.resampling.crossed import (
    MODELS,
    PICTURES,
    crossed_metrics,
    crossed_reward_interval,
    reward_interval,
)
from miagym.metrics.resampling.over_models import MIN_MODELS


@dataclass(frozen=True)
class FamilyGrade:
    """Grade of verdicts about targets of a family; what was judged twice counts with the first.

    All intervals are of 95 %, and `intervals_over` says what they hold for.
    """

    n_judged: int
    """Pairs of target and picture, or hands."""
    n_split: int
    """How many of them the split has: of the easy ones alone a grade says little."""
    n_models: int
    """Targets that they are about."""
    intervals_over: str
    """"models and pictures": other targets of the family, other pictures. "models": other targets,
    these pictures. "pictures": these targets, other pictures; of fewer than eight targets nothing
    shows how far others would differ."""
    metrics: Metrics
    """AUC and TPR@FPR of the probabilities as scores, of all targets under one threshold."""
    brier_reward: float
    """Mean of 1 - 4 (p - y)²: 0 for an agent that knows nothing and says so."""
    brier_reward_ci: Interval
    spent: float
    """UNet rows a candidate, or a hand, on average."""
    net_reward: float
    """`brier_reward` less the price of what was spent."""
    played: Played
    """Which family was asked, under which rules."""


def grade_family(verdicts: Verdicts, data: Dataset | None = None) -> FamilyGrade:
    """Looks the labels up and grades verdicts of a pool whose targets are drawn from a family.

    With eight targets or more intervals are over models and pictures, with fewer over pictures;
    look-alikes, and one picture under several targets, are one group.

    Args:
        verdicts: of an environment, or loaded from a file.
        data: the data set, if it was not loaded by a name.

    Raises:
        DataError: if there are no verdicts, or of one side only, a number is none, another grader
            grades them, or they are about something else.
        SettingsError: if a population is not there any more.
    """
    judged, game = Judged.of(verdicts, data, "grade_family"), verdicts.played
    said, member, model = verdicts.probability[judged.first], judged.member, judged.model
    picture = np.concatenate(judged.pictures)
    reward, n_models = brier_rewards(said, member), len(np.unique(model))
    many = n_models >= MIN_MODELS
    spent = float(verdicts.spent.sum() / len(said))
    return FamilyGrade(
        n_judged=len(said),
        n_split=judged.n_split,
        n_models=n_models,
        intervals_over=f"{MODELS} and {PICTURES}" if many else PICTURES,
        metrics=crossed_metrics(said, member, model, picture)
        if many
        else measure(said, member, picture),
        brier_reward=float(reward.mean()),
        brier_reward_ci=crossed_reward_interval(reward, model, picture)
        if many
        else reward_interval(reward, picture),
        spent=spent,
        net_reward=float(reward.mean()) - game.price * spent * game.candidates / game.budget,
        played=game,
    )
