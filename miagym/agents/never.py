"""Never: asks nothing, and takes no side."""

from __future__ import annotations

import numpy as np

from miagym.agents.observations import ObservationBatch
from miagym.envs.spaces import Action, Observation


class NeverAsks:
    """Says one half of everybody, which earns 0, always."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        return batch.verdict(np.full((len(batch.left), batch.n), 0.5))
