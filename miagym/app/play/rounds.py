"""Rounds that were played: who said what of which picture, and the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from miagym.metrics.brier import brier_reward

YOU = "You"
NEVER, BLIND, ONE = "Never asks", "Never asks, looks", "One question"
ABOUT = {
    NEVER: "says “I cannot tell” of everybody",
    BLIND: "judges by colours and words alone, learned from the known pictures",
    ONE: "spends everything on one question, and judges by the known pictures' answers",
}
"""Agents that play the same pictures beside the visitor."""
SECRET_ROUNDS = 5
"""Verdicts until a secret target is named."""


@dataclass(frozen=True)
class Guess:
    """A verdict on one candidate, and what it cost."""

    probability: float
    """Of membership, in [0, 1]."""
    spent: int
    """UNet rows."""


@dataclass(frozen=True)
class Round:
    """A candidate that was judged. Only the server holds it, and only after the verdict."""

    key: str
    member: bool
    guesses: dict[str, Guess] = field(default_factory=dict)
    """The visitor's verdict, and those of the agents that have played it."""

    def reward(self, player: str) -> float:
        """Brier's, in [-3, 1]."""
        said = np.array([self.guesses[player].probability])
        return brier_reward(said, np.array([int(self.member)]))
