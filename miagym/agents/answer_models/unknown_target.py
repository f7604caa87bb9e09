"""Model of answers of a target that nobody names: all answers of a pool tell what it is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from miagym.agents.answer_models.gaussian import AnswerModel, expected, read, reward
from miagym.envs.spaces import Observation


@dataclass(frozen=True, eq=False)
class UnknownTargetModel:
    """Belief about members under a target that is like one of several, nobody knows which.

    One answer says little about a candidate unless it is known how far members stand apart under
    this target. The answers about the others of its pool say so: by Bayes' rule a target is as
    likely as it makes all ratios of the pool together, each of them half a member's and half a
    non-member's. Verdicts and gains are means under these weights.
    """

    targets: tuple[AnswerModel, ...]
    """What answers say under each target that was learned from."""

    def __call__(self, observation: Observation) -> NDArray[np.float64]:
        """Probabilities of membership, of one observation of a pool or a batch of them.

        Args:
            observation: of Pool: `count` (..., n, 1) and `summary` (..., n, 1, 8).

        Raises:
            DataError: if it is of another menu, or without a reference.
        """
        return self.probability(*read(observation))

    def weights(
        self, ratio: NDArray[np.float64], count: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """How likely each target is (T, ..., 1), by the answers of its pool.

        Args:
            ratio: log ratios of the candidates of a pool (..., n).
            count: numbers of answers (..., n).
        """
        each = np.stack(
            [
                np.logaddexp(*target.log_densities(ratio, count)).sum(axis=-1, keepdims=True)
                for target in self.targets
            ]
        )
        return softmax(each, axis=0)

    def probability(
        self, ratio: NDArray[np.float64], count: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Of membership (..., n), by all answers of a pool."""
        return self.under(self.weights(ratio, count), ratio, count)

    def under(
        self,
        weights: NDArray[np.float64],
        ratio: NDArray[np.float64],
        count: NDArray[np.integer],
    ) -> NDArray[np.float64]:
        """Of membership, where it is known already how likely each target is (T, ...)."""
        each = np.stack([target.probability(ratio, count) for target in self.targets])
        return (weights * each).sum(axis=0)

    def gain(self, ratio: NDArray[np.float64], count: NDArray[np.integer]) -> NDArray[np.float64]:
        """Expected gain (..., n) in Brier reward of one more answer, as `AnswerModel.gain`.

        What the answer tells about the target, and so about all others, is not counted.
        """
        weights = self.weights(ratio, count)
        then = np.zeros(ratio.shape)
        for weight, target in zip(weights, self.targets, strict=True):
            now, next_ = target.probability(ratio, count), target.next_ratios(ratio, count)
            for share, after in zip((1 - now, now), next_, strict=True):
                seen = self.under(weights[..., None], after, (count + 1)[..., None])
                then += weight * share * expected(reward(seen))
        most = min(target.mean.shape[1] for target in self.targets)
        now = self.under(weights, ratio, count)
        return np.where(count < most, then - reward(now), 0.0)
