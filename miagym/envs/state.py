"""State of episodes beside the arrays of `Game`: their budgets, and histories of answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.envs.settings import Settings


class Accounts:
    """Budgets of b episodes in UNet rows.

    Args:
        budget: what each holds when it is filled.
        episodes: b.
    """

    def __init__(self, budget: int, episodes: int) -> None:
        self.budget = budget
        self.left = np.full(episodes, budget, dtype=np.int64)

    def refill(self, episodes: NDArray[np.intp]) -> None:
        self.left[episodes] = self.budget

    def pay(self, episodes: NDArray[np.intp], prices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Charges the questions of a step, slot after slot, and refuses those that do not fit.

        A refused question costs nothing, and a cheaper one in a later slot may still fit.

        Args:
            episodes: whose accounts (k,), each named once.
            prices: of the question in each slot (k, slots); 0 where a slot is empty.

        Returns:
            Which were paid (k, slots); an empty slot is not.
        """
        paid = paid_in_order(self.left[episodes], prices)
        self.left[episodes] -= (prices * paid).sum(axis=1)
        return paid


def paid_in_order(left: NDArray[np.integer], prices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mask of prices (k, slots) that k accounts can pay, slot after slot; 0 is not paid."""
    paid, left = np.zeros(prices.shape, dtype=bool), left.astype(np.int64)
    for slot, price in enumerate(prices.T):
        paid[:, slot] = (price > 0) & (price <= left)
        left -= np.where(paid[:, slot], price, 0)
    return paid


class History:
    """History of answers of b episodes, up to M each, as many as the budget buys."""

    def __init__(self, settings: Settings, episodes: int) -> None:
        shape, size = (episodes, settings.max_answers), settings.resolution
        self.questions = np.full(shape, -1, dtype=np.int32)
        self.images = np.zeros((*shape, size, size, 3), dtype=np.uint8)
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
