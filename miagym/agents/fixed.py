"""Fixed agent: the same questions about every candidate in turn, until the budget is gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.agents.observations import ObservationBatch
from miagym.envs.spaces import Action, Observation
from miagym.envs.wrappers.maps import Belief
from miagym.errors import SettingsError


@dataclass(frozen=True, eq=False)
class FixedAgent:
    """Agent that spends uniformly, the baseline of agents that choose."""

    belief: Belief
    """Of a batch of observations; it makes the verdicts."""
    prices: NDArray[np.int64]
    """Of the questions (K,), in UNet rows."""
    schedule: tuple[int, ...] = (0,)
    """Questions about a candidate, in order and over again."""

    def __post_init__(self) -> None:
        check_schedule(self.schedule, len(self.prices))

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        answers = batch.count.sum(axis=2)
        candidate = np.argsort(answers, axis=1, kind="stable")
        question = scheduled(self.schedule, np.take_along_axis(answers, candidate, axis=1))
        return batch.ask(candidate, question, batch.believed(self.belief, observation), self.prices)


def check_schedule(schedule: tuple[int, ...], menu: int) -> None:
    """Checks that a schedule names questions of the menu.

    Raises:
        SettingsError: if it is empty, or names others.
    """
    if not schedule or not set(schedule) <= set(range(menu)):
        raise SettingsError(
            f"Expected a schedule of one or more questions from 0 to {menu - 1}, got {schedule}."
        )


def scheduled(schedule: tuple[int, ...], answers: NDArray[np.integer]) -> NDArray[np.int64]:
    """Next question about candidates with so many answers."""
    return np.array(schedule, dtype=np.int64)[answers % len(schedule)]
