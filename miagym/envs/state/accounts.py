"""Budgets of episodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
