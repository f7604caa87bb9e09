"""Observations of either environment alike: b episodes of n candidates, n = 1 in a single game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from miagym.envs.spaces import Action, Observation
from miagym.envs.state.accounts import paid_in_order
from miagym.envs.wrappers.maps import Belief, checked_belief


@dataclass(frozen=True)
class ObservationBatch:
    """Batch of observations of Single or Pool, and the way back to their actions."""

    pictures: NDArray[np.uint8]
    """(b, n, size, size, 3)."""
    captions: NDArray[np.int32]
    """Token ids (b, n, 77)."""
    count: NDArray[np.int32]
    """Answers so far (b, n, K)."""
    summary: NDArray[np.float32]
    """Their statistics so far (b, n, K, F)."""
    affordable: NDArray[np.int8]
    """Which questions can still be paid (b, K)."""
    left: NDArray[np.int32]
    """UNet rows (b,)."""
    slots: int
    """Questions in a step."""
    is_pool: bool

    @classmethod
    def of(cls, observation: Observation) -> Self:
        """Reads a batch of observations."""
        is_pool = "candidates" in observation
        own = ("candidates", "captions") if is_pool else ("candidate", "caption")
        shown = [observation[name] for name in (*own, "count", "summary")]
        pictures, captions, count, summary = shown if is_pool else [one[:, None] for one in shown]
        return cls(
            pictures,
            captions,
            count,
            summary,
            affordable=observation["affordable"],
            left=observation["budget_left"][:, 0],
            slots=observation["answered"].shape[1] if is_pool else 1,
            is_pool=is_pool,
        )

    @property
    def n(self) -> int:
        """Candidates in an episode."""
        return self.count.shape[1]

    def believed(self, belief: Belief, observation: Observation) -> NDArray[np.float64]:
        """Beliefs (b, n) about a batch of observations.

        Raises:
            ActionError: if it is no probability for everybody.
        """
        shape = self.count.shape[:2] if self.is_pool else self.left.shape
        found = checked_belief(belief(observation), shape)
        return found.reshape(len(self.left), self.n)

    def ask(
        self,
        candidate: NDArray[np.int64],
        question: NDArray[np.int64],
        probability: NDArray[np.floating],
        prices: NDArray[np.int64],
    ) -> Action:
        """Asks what the slots and the budget hold, in this order; where that is nothing, stops.

        Args:
            candidate: whom (b, m); n for nobody.
            question: what (b, m).
            probability: the verdicts (b, n), for the episodes that stop.
            prices: of the questions (K,), in UNet rows.
        """
        b, m = len(candidate), min(self.slots, candidate.shape[1])
        whom, what = np.full((b, self.slots), self.n), np.zeros((b, self.slots), dtype=np.int64)
        candidate, question = candidate[:, :m], question[:, :m]
        asked = np.where(candidate < self.n, prices[question], 0)
        paid = paid_in_order(self.left, asked)
        whom[:, :m] = np.where(paid, candidate, self.n)
        what[:, :m] = np.where(paid, question, 0)
        return self._action(whom, what, probability, stop=(whom == self.n).all(axis=1))

    def verdict(self, probability: NDArray[np.floating]) -> Action:
        """Ends all episodes with these verdicts (b, n)."""
        whom = np.full((len(probability), self.slots), self.n)
        return self._action(whom, np.zeros_like(whom), probability, np.ones(len(whom), dtype=bool))

    def _action(
        self,
        whom: NDArray[np.int64],
        what: NDArray[np.int64],
        probability: NDArray[np.floating],
        stop: NDArray[np.bool_],
    ) -> Action:
        action: dict[str, Any] = {"stop": stop.astype(np.int64)}
        if self.is_pool:
            return action | {"candidate": whom, "question": what, "probability": probability}
        return action | {"question": what[:, 0], "probability": probability[:, 0]}
