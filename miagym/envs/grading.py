"""How good verdicts were, told afterwards by whoever has the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.envs.deck import rows_of, shared_data
from miagym.envs.verdicts import Verdicts
from miagym.errors import DataError
from miagym.evaluation.auc import Interval
from miagym.evaluation.intervals import mean_interval, share_interval
from miagym.evaluation.metrics import Metrics, measure

BINS = 10


@dataclass(frozen=True)
class Grade:
    """How good verdicts are. A candidate judged several times counts once, with its mean verdict.

    All intervals are of 95 %.
    """

    n_verdicts: int
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
    """UNet rows a candidate, on average."""


def grade(verdicts: Verdicts, data: Dataset | None = None) -> Grade:
    """Looks the labels up and grades verdicts.

    Args:
        verdicts: of an environment, or loaded from a file.
        data: the data set, if it was not loaded by a name.

    Raises:
        DataError: if there are no verdicts, a probability is none, or a candidate is not in the
            split that the verdicts name.
    """
    if not len(verdicts):
        raise DataError("There are no verdicts to grade; end an episode on `val` or `test` first.")
    if not ((verdicts.probability >= 0) & (verdicts.probability <= 1)).all():
        raise DataError("Expected probabilities from 0 to 1, got others, or NaN.")
    data = shared_data(verdicts.data) if data is None else data
    label = _labels(data, verdicts.split, verdicts.size)
    if unknown := set(verdicts.candidate) - label.keys():
        raise DataError(
            f"{len(unknown)} of the candidates are not in {data.name}, {verdicts.split}; grade "
            "with the data that the environment was made with."
        )
    keys, which = np.unique(np.array(verdicts.candidate), return_inverse=True)
    probability = np.bincount(which, verdicts.probability) / np.bincount(which)
    member = np.array([label[key] for key in keys])
    reward = 1 - 4 * (probability - member) ** 2
    right = np.where(probability == 0.5, 0.5, (probability > 0.5) == member)
    return Grade(
        len(verdicts),
        measure(probability, member),
        float(reward.mean()),
        _reward_interval(reward),
        float(right.mean()),
        share_interval(round(right.sum()), len(right)),
        calibration_error(probability, member),
        float(verdicts.spent.mean()),
    )


def _reward_interval(rewards: NDArray[np.float64]) -> Interval:
    """A point where all rewards are equal, as those of an agent that always says one half."""
    if len(rewards) < 2 or np.ptp(rewards) == 0:
        return float(rewards.mean()), float(rewards.mean())
    return mean_interval(rewards)


def calibration_error(probability: NDArray[np.float64], member: NDArray[np.bool_]) -> float:
    """Expected calibration error over `BINS` groups of equal size, in order of the probability."""
    order = np.argsort(probability, kind="stable")
    groups = np.array_split(order, min(BINS, len(order)))
    gaps = [len(g) * abs(probability[g].mean() - member[g].mean()) for g in groups]
    return float(sum(gaps) / len(order))


def _labels(data: Dataset, split: str, size: int) -> dict[str, bool]:
    rows = rows_of(data, split)
    keys = data.candidates(rows, size).keys
    return dict(zip(keys, map(bool, data.member[rows]), strict=True))
