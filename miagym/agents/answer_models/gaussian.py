"""Gaussian model of log ratios to a reference: what answers say, and what the next one may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import expit

from miagym.agents.agent import check_enough
from miagym.envs.answers.table import AnswerTable
from miagym.envs.spaces import Observation
from miagym.errors import DataError, SettingsError

POINTS, WEIGHTS = hermegauss(15)
MIN_LABELS = 5
"""Members, and non-members, from which a model is learned."""


@dataclass(frozen=True, eq=False)
class AnswerModel:
    """Belief about members by the log ratio of the target's mean answer to the reference's.

    The ratio after k answers is Gaussian among members, and among non-members, and so are two of
    them together; a candidate that was asked oftener than K times is read as after K answers.
    """

    mean: NDArray[np.float64]
    """Of non-members and members, after 1 to K answers (2, K)."""
    deviation: NDArray[np.float64]
    """(2, K)."""
    correlation: NDArray[np.float64]
    """Of the ratios after j and after k answers (2, K, K)."""

    @classmethod
    def fit(cls, table: AnswerTable, keys: tuple[str, ...], member: NDArray[np.integer]) -> Self:
        """Learns from a table of one question with a reference.

        Args:
            table: answers; K is the number of its draws.
            keys: of the candidates to learn from (m,), on `train`.
            member: their labels (m,).

        Raises:
            SettingsError: if the table has no reference, or several questions.
            TooFewToLearn: if there are too few members, or non-members.
        """
        return cls.of(ratios(table, keys), member)

    @classmethod
    def of(cls, x: NDArray[np.float64], member: NDArray[np.integer]) -> Self:
        """Learns from log ratios (m, D, K), as `ratios` reads them, and labels (m,).

        Raises:
            TooFewToLearn: if there are too few members, or non-members.
        """
        check_enough(np.asarray(member, dtype=np.int8), MIN_LABELS)
        each = [x[np.asarray(member) == side].reshape(-1, x.shape[2]) for side in (0, 1)]
        return cls(
            np.stack([one.mean(axis=0) for one in each]),
            np.stack([one.std(axis=0) for one in each]),
            np.stack([np.atleast_2d(np.corrcoef(one.T)) for one in each]),
        )

    def __call__(self, observation: Observation) -> NDArray[np.float64]:
        """Probabilities of membership, of one observation or a batch of them.

        Args:
            observation: of Single or Pool: `count` (..., 1) and `summary` (..., 1, 8).

        Raises:
            DataError: if it is of another menu, or without a reference.
        """
        return self.probability(*read(observation))

    def probability(
        self, ratio: NDArray[np.float64], count: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Of membership (...), after so many answers (...); one half after none."""
        among_others, among_members = self.log_densities(ratio, count)
        return expit(among_members - among_others)

    def log_densities(
        self, ratio: NDArray[np.float64], count: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Of a ratio among non-members and members (2, ...), less a constant; 0 after no answer."""
        at = np.clip(count, 1, self.mean.shape[1]) - 1
        fits = [
            -0.5 * ((ratio - self.mean[side][at]) / self.deviation[side][at]) ** 2
            - np.log(self.deviation[side][at])
            for side in (0, 1)
        ]
        return np.where(count > 0, np.stack(fits), 0.0)

    def gain(self, ratio: NDArray[np.float64], count: NDArray[np.integer]) -> NDArray[np.float64]:
        """Expected gain (...) in Brier reward of one more answer; 0 after K of them.

        Knowledge gradient (Frazier, Powell, Dayanik, A Knowledge-Gradient Policy for Sequential
        Information Collection, SIAM J. Control Optim. 2008), under this model.
        """
        now = self.probability(ratio, count)
        seen = reward(self.probability(self.next_ratios(ratio, count), (count + 1)[..., None]))
        then = (1 - now) * expected(seen[0]) + now * expected(seen[1])
        return np.where(count < self.mean.shape[1], then - reward(now), 0.0)

    def next_ratios(
        self, ratio: NDArray[np.float64], count: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Ratios after one more answer among non-members and members (2, ..., 15).

        They are at the points of a quadrature, over which `expected` takes the mean.
        """
        after = np.clip(count, 0, self.mean.shape[1] - 1)
        before = np.maximum(after - 1, 0)
        found = []
        for side in (0, 1):
            known = self.correlation[side][before, after] * (count > 0)
            off = (ratio - self.mean[side][before]) / self.deviation[side][before] * (count > 0)
            centre = self.mean[side][after] + known * self.deviation[side][after] * off
            spread = self.deviation[side][after] * np.sqrt(np.maximum(1 - known**2, 0))
            found.append(centre[..., None] + spread[..., None] * POINTS)
        return np.stack(found)


def expected(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean (...) over what the next answer may be, of values (..., 15) at `next_ratios`."""
    return values @ (WEIGHTS / WEIGHTS.sum())


def reward(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brier reward that a belief expects of itself, 1 - 4 p (1 - p)."""
    return 1 - 4 * probability * (1 - probability)


def read(observation: Observation) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Log ratios (...) and numbers of answers (...) of observations with one question.

    Raises:
        DataError: if there are several questions, or no reference.
    """
    count, summary = observation["count"], observation["summary"]
    if summary.shape[-2:] != (1, 8):
        raise DataError(
            f"Expected one question with a reference, statistics (1, 8), got "
            f"{summary.shape[-2:]}; play with questions of one name and a reference."
        )
    last = np.maximum(summary[..., 0, [3, 7]].astype(np.float64), 1e-9)
    return np.log(last[..., 0] / last[..., 1]) * (count[..., 0] > 0), count[..., 0]


def ratios(table: AnswerTable, keys: tuple[str, ...]) -> NDArray[np.float64]:
    """Log ratios (m, D, K) of mean answers, by first draw and number of answers, K = D at most.

    Raises:
        SettingsError: if the table has no reference, or several questions.
    """
    if table.record.reference is None or len(table.record.questions) != 1:
        raise SettingsError(
            "Expected a table of one question with a reference, since the model reads ratios of "
            "target to reference; tabulate one."
        )
    rows = [table.places[key] for key in keys]
    means = np.maximum(table.means[rows, 0, :, : table.record.draws].astype(np.float64), 1e-9)
    return np.log(means[..., 0] / means[..., 1])
