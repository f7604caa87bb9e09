"""Histories of the answers of episodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.envs.settings import Settings


class History:
    """History of answers of b episodes, up to M each, as many as the budget buys."""

    def __init__(self, settings: Settings, episodes: int) -> None:
        shape, side = (episodes, settings.max_answers), settings.answer_side
        self.questions = np.full(shape, -1, dtype=np.int32)
        self.images = np.zeros((*shape, side, side, 3), dtype=np.uint8)
        self.values = np.zeros((*shape, settings.statistics), dtype=np.float32)
        self._length = np.zeros(episodes, dtype=np.int64)

    def forget(self, episode: int) -> None:
        self.questions[episode] = -1
        for state in (self.images, self.values, self._length):
            state[episode] = 0

    def add(
        self,
        episode: int,
        question: int,
        values: NDArray[np.float32],
        image: NDArray[np.uint8] | None,
    ) -> None:
        """Adds an answer."""
        at = episode, self._length[episode]
        self.questions[at], self.values[at] = question, values
        if image is not None:
            self.images[at] = image
        self._length[episode] += 1
