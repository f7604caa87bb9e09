"""Uploading agent: calls a service in the same ways about every candidate, in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.agents.agent import check_enough, episodes_of
from miagym.envs.service.env import ServiceVectorEnv
from miagym.envs.service.uploads import UploadSample
from miagym.envs.service.ways import DISTANCES, MIN_DISTANCE, Way, distances, ways_of
from miagym.envs.spaces import Action, Observation
from miagym.envs.state.moves import PRIOR
from miagym.errors import DataError, SettingsError

FOLDS = 5


class UploadingAgent:
    """Agent that uploads in some ways, in turn, until it cannot pay, and then says what it thinks.

    Its belief is a logistic regression on the logarithms of each way's mean distances, so that a
    way may be the reference of another: log-distance of the picture less that of the picture
    turned is the ratio by which training has made one of them easier.

    Args:
        envs: where it plays; captions are no numbers, and are read there.
        ways: as in `ways.Way.of`.
        belief: from log distances (2 W,) to a probability; None says ½.
    """

    def __init__(
        self, envs: gym.vector.VectorEnv, ways: Sequence[str], belief: Linear | None = None
    ) -> None:
        self._envs = service_envs(envs)
        self._texts, self._belief = tuple(ways), belief
        self._ways = ways_of(ways, self._envs.settings, None)
        shape = self._envs.num_envs, len(self._ways)
        self._count = np.zeros(shape, dtype=np.int64)
        self._sums = np.zeros((*shape, len(DISTANCES)))
        self._sent: list[UploadSample | None] = [None] * self._envs.num_envs
        self._turn = np.zeros(self._envs.num_envs, dtype=np.int64)
        """Which way each row called last; -1 before the first call."""
        self._refused = np.zeros(shape, dtype=bool)
        """Whose prompt a filter has refused; it would be refused again."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        rows = [self._row(observation, row, rng) for row in range(self._envs.num_envs)]
        action: dict[str, Any] = {name: np.array([r[name] for r in rows]) for name in rows[0]}
        return action | {"prompt": tuple(row["prompt"] for row in rows)}

    def features(self, row: int) -> NDArray[np.float64]:
        """Log distances (2 W,) of an environment's episode; 0 for a way that was not called."""
        asked = self._count[row][:, None]
        means = np.maximum(self._sums[row] / np.maximum(asked, 1), MIN_DISTANCE)
        return np.where(asked > 0, np.log(means), 0).ravel()

    @classmethod
    def fit_over(
        cls, many: Sequence[gym.vector.VectorEnv], ways: Sequence[str], episodes: int, seed: int
    ) -> Self:
        """Learns one belief for all models of a family.

        Args:
            many: services about one of them each, on the split `train`.
            ways: as in `ways.Way.of`.
            episodes: in each environment.
            seed: of all that is random.

        Raises:
            DataError: if the environments do not tell labels.
            TooFewToLearn: if there were too few members, or non-members.
        """
        found, member = [], []
        for envs in many:
            agent = cls(envs, ways)
            for one in episodes_of(agent, envs, episodes, seed):
                if one.member is None:
                    raise DataError("A belief is learned from labels; play on the split train.")
                found.append(agent.features(one.row))
                member.append(int(one.member[0]))
        labels = np.array(member, dtype=np.int8)
        check_enough(labels, FOLDS)
        return cls(many[0], ways, Linear.fit(np.array(found), labels))

    def playing(self, envs: gym.vector.VectorEnv) -> Self:
        """The same agent in other environments."""
        return type(self)(envs, self._texts, self._belief)

    def _row(self, seen: Observation, row: int, rng: np.random.Generator) -> Action:
        settings, left = self._envs.settings, seen["budget_left"][row, 0]
        is_refused = "refused" in seen and bool(seen["refused"][row, 0])
        if left == settings.budget and not is_refused:  # nothing was called yet
            self._count[row], self._sums[row], self._refused[row] = 0, 0, False
            self._sent[row], self._turn[row] = None, -1
        self._note(row, is_refused, seen)
        way = self._next_way(row)
        caption = self._envs.game.dealt(row).captions[0]
        sent = way.sample(UploadSample(seen["candidate"][row], caption), None, rng)
        stops = self._refused[row].all() or left < settings.price_of(way.kind, way.strength, 1)
        self._sent[row] = None if stops else sent
        said = PRIOR
        if self._belief is not None and not self._refused[row].any():  # it knows all ways or none
            said = self._belief(self.features(row))
        return way.action(settings, sent, said) | {"stop": int(stops)}

    def _note(self, row: int, is_refused: bool, seen: Observation) -> None:
        """Keeps what the last call brought."""
        sent, at = self._sent[row], self._turn[row]
        if is_refused:
            self._refused[row, at] = True
        elif sent is not None and seen["answered"][row, 0]:
            self._count[row, at] += 1
            self._sums[row, at] += distances(sent.picture, seen["images"][row, 0])

    def _next_way(self, row: int) -> Way:
        """The next one in turn that was not refused, if there is one."""
        for _ in self._ways:
            self._turn[row] = (self._turn[row] + 1) % len(self._ways)
            if not self._refused[row, self._turn[row]]:
                break
        return self._ways[self._turn[row]]


class Linear:
    """Logistic belief of features (d,).

    Args:
        weights: (d,).
        offset: of the logit.
    """

    def __init__(self, weights: NDArray[np.float64], offset: float) -> None:
        self.weights, self.offset = weights, offset

    def __call__(self, features: NDArray[np.float64]) -> float:
        return float(expit(self.weights @ features + self.offset))

    @classmethod
    def fit(cls, features: NDArray[np.float64], member: NDArray[np.int8]) -> Self:
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, member)
        offset = float(model.decision_function(np.zeros((1, features.shape[1])))[0])
        weights = model.decision_function(np.eye(features.shape[1])) - offset
        return cls(weights, offset)


def service_envs(envs: gym.vector.VectorEnv) -> ServiceVectorEnv:
    """Vector environment of services inside its wrappers.

    Raises:
        SettingsError: if it is none.
    """
    bare = envs.unwrapped
    if not isinstance(bare, ServiceVectorEnv):
        raise SettingsError(f"Expected vector environments of miagym/Service-v0, got {bare!r}.")
    return bare
