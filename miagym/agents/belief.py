"""Belief: probabilities of membership from the statistics of answers, learned on `train`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, cross_val_predict

from miagym.agents.agent import Agent, check_enough, episodes_of, unwrapped_envs
from miagym.agents.random import RandomAgent
from miagym.envs.spaces import Observation
from miagym.errors import DataError

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Inverse penalties of the regression; cross-validation on `train` chooses."""
FOLDS = 5
MIN_STATISTIC = 1e-6
"""Statistics below are read as this, before their logarithm."""


@dataclass(frozen=True, eq=False)
class LogisticBelief:
    """Belief by logistic regression on log statistics, and on these times log count.

    The more answers a mean is made of, the more it says: hence the products. Evidence of different
    questions adds up; of questions without an answer there is none, so that a belief begins at one
    half.
    """

    centre: NDArray[np.float64]
    """Mean logarithms (K, F) on `train`."""
    weights: NDArray[np.float64]
    """Of the evidence (2 K (F + 1),)."""

    def __call__(self, observation: Observation) -> NDArray[np.float64]:
        """Probabilities of membership, of one observation or a batch of them.

        Args:
            observation: of Single or Pool: `count` (..., K) and `summary` (..., K, F).

        Raises:
            DataError: if it is of another menu than the belief was learned from.
        """
        count, summary = observation["count"], observation["summary"]
        if summary.shape[-2:] != self.centre.shape:
            raise DataError(
                f"Expected statistics {self.centre.shape} of questions, as the belief was learned "
                f"from, got {summary.shape[-2:]}; play with the same menu and reference."
            )
        return expit(_evidence(count, summary, self.centre) @ self.weights)

    @classmethod
    def fit(cls, envs: gym.vector.VectorEnv, episodes: int, seed: int) -> Self:
        """Learns from episodes of a random agent that spends the whole budget.

        Args:
            envs: Single or Pool, on the split `train`.
            episodes: in each of them.
            seed: of all that is random.

        Raises:
            DataError: if the environments do not tell labels.
            TooFewToLearn: if there were too few members, or non-members.
        """
        return cls.fit_over([envs], episodes, seed)

    @classmethod
    def fit_over(
        cls,
        several: Sequence[gym.vector.VectorEnv],
        episodes: int,
        seed: int,
        asking: Agent | None = None,
    ) -> Self:
        """Learns one belief for several targets, each in environments of its own.

        Args:
            several: Single or Pool, on the split `train`.
            episodes: in each of them.
            seed: of all that is random.
            asking: who asks in these episodes, by default at random; learning is best from what
                the belief is to judge. Its verdicts are of no matter.

        Raises:
            DataError, TooFewToLearn: as `fit`.
        """
        counts, summaries, members, keys = [], [], [], []
        for envs in several:
            agent = asking or RandomAgent(unwrapped_envs(envs).game.prices, stops=0)
            for one in episodes_of(agent, envs, episodes, seed):
                if one.member is None:
                    raise DataError("A belief is learned from labels; play on the split train.")
                for seen in one.seen:
                    menu, width = seen["summary"].shape[-2:]
                    counts.append(seen["count"].reshape(-1, menu))
                    summaries.append(seen["summary"].reshape(-1, menu, width))
                    members.append(one.member)
                    keys.extend(one.keys)
        member, who = np.concatenate(members), np.array(keys)
        check_enough(member[np.unique(who, return_index=True)[1]], FOLDS)
        return cls._fitted(np.concatenate(counts), np.concatenate(summaries), member, who)

    @classmethod
    def _fitted(
        cls,
        count: NDArray[np.int32],
        summary: NDArray[np.float32],
        member: NDArray[np.int8],
        keys: NDArray[np.str_],
    ) -> Self:
        """From m candidates (m, ...) in different states, and who they are (m,)."""
        asked = (count > 0)[..., None]
        centre = (_logs(summary) * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
        evidence = _evidence(count, summary, centre)
        scale = np.maximum(evidence.std(axis=0), 1e-9)
        # A candidate is in one fold only: what is tried has not seen it.
        folds = list(GroupKFold(FOLDS).split(evidence, groups=keys))
        losses = []
        for strength in STRENGTHS:
            model = _regression(strength, len(member))
            said = cross_val_predict(
                model, evidence / scale, member, cv=folds, method="predict_proba"
            )
            losses.append(log_loss(member, said, labels=[0, 1]))
        model = _regression(STRENGTHS[int(np.argmin(losses))], len(member))
        return cls(centre, model.fit(evidence / scale, member).coef_[0] / scale)


def _regression(strength: float, rows: int) -> LogisticRegression:
    """Without an offset: no evidence, no opinion. The penalty keeps pace with the rows."""
    return LogisticRegression(C=strength * 1000 / rows, fit_intercept=False, max_iter=1000)


def _logs(summary: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.log(np.maximum(summary.astype(np.float64), MIN_STATISTIC))


def _evidence(
    count: NDArray[np.int32], summary: NDArray[np.float32], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What there is to go by (..., 2 K (F + 1)); all 0 without an answer."""
    logs = np.concatenate([_logs(summary) - centre, np.ones((*count.shape, 1))], axis=-1)
    asked = (count > 0)[..., None]
    grown = np.log(np.maximum(count, 1))[..., None]
    parts = [logs * asked, logs * asked * grown]
    return np.concatenate(parts, axis=-1).reshape(*count.shape[:-1], -1)
