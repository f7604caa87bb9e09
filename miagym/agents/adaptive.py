"""Adaptive agent: the next questions go to the candidates that are most uncertain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.agents.fixed import check_schedule, scheduled
from miagym.agents.observations import ObservationBatch
from miagym.envs.spaces import Action, Observation
from miagym.envs.wrappers.maps import Belief


@dataclass(frozen=True, eq=False)
class AdaptiveAgent:
    """Agent that asks about candidates nearest to one half, and stops when none is near enough.

    Uncertainty sampling (Lewis and Gale, A Sequential Algorithm for Training Text Classifiers,
    SIGIR 1994), spent on answers instead of labels.
    """

    belief: Belief
    """Of a batch of observations; it makes the verdicts."""
    prices: NDArray[np.int64]
    """Of the questions (K,), in UNet rows."""
    schedule: tuple[int, ...] = (0,)
    """Questions about a candidate, in order and over again."""
    doubt: float = 0.1
    """4 p (1 - p), what the verdict p is expected to lose, above which asking is worth it."""

    def __post_init__(self) -> None:
        check_schedule(self.schedule, len(self.prices))

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        probability = batch.believed(self.belief, observation)
        doubt = 4 * probability * (1 - probability)
        nearest = np.argsort(-doubt, axis=1, kind="stable")
        answers = np.take_along_axis(batch.count.sum(axis=2), nearest, axis=1)
        worth = np.take_along_axis(doubt, nearest, axis=1) > self.doubt
        candidate = np.where(worth, nearest, batch.n)
        return batch.ask(candidate, scheduled(self.schedule, answers), probability, self.prices)
