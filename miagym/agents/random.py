"""Random agent: asks, stops and gives verdicts at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.agents.observations import ObservationBatch
from miagym.envs.spaces import Action, Observation


@dataclass(frozen=True, eq=False)
class RandomAgent:
    """Agent that acts at random; with `stops=0`, a collector of answers to learn from."""

    prices: NDArray[np.int64]
    """Of the questions (K,), in UNet rows: `envs.unwrapped.game.prices`."""
    stops: float = 0.1
    """Probability of stopping, in each step."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        shape = len(batch.left), batch.slots
        candidate = rng.integers(batch.n, size=shape)
        candidate[rng.random(len(candidate)) < self.stops] = batch.n
        # The largest of random numbers, among what can be paid, is a uniform choice.
        chances = rng.random((*shape, len(self.prices))) * batch.affordable[:, None]
        probability = rng.random((len(candidate), batch.n))
        return batch.ask(candidate, chances.argmax(axis=2), probability, self.prices)
