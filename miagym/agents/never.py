"""Agent that asks nothing and takes no side."""

from __future__ import annotations

import numpy as np

from miagym.agents.observations import ObservationBatch
from miagym.envs.spaces import Action, Observation


class NeverAsks:
    """Agent that says one half of every candidate, which always earns 0."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        return batch.verdict(np.full((len(batch.left), batch.n), 0.5))
