"""The tally: what each player has earned, and how little a few rounds can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from miagym.app.play.rounds import Round
from miagym.metrics.auc import Interval
from miagym.metrics.distributions import binomial_tail
from miagym.metrics.intervals import mean_interval, share_interval

MIN_ROUNDS_FOR_INTERVAL = 10
"""Rounds from which a mean reward has an interval."""
UNDECIDED_WITHIN = 0.005
"""A verdict that is nearer to one half, and would read 0.50, takes no side."""
MIN_ROUNDS_FOR_SKILL = 20
"""Rounds below which nothing is said but that they are few."""


@dataclass(frozen=True)
class Tally:
    """What one player has earned over n rounds. Intervals are of 95 %."""

    player: str
    n: int
    reward: float
    """Mean of Brier's reward, in [-3, 1]."""
    reward_ci: Interval | None
    """None below `MIN_ROUNDS_FOR_INTERVAL` rounds, and where all rewards are equal."""
    right: int
    decided: int
    """Rounds with a verdict for one side."""
    right_ci: Interval | None
    """Of the share that is right among the decided (Clopper-Pearson); None without any."""
    spent: float
    """UNet rows a round."""

    @property
    def undecided(self) -> int:
        """Rounds in which it could not tell."""
        return self.n - self.decided


def tally(rounds: Sequence[Round], player: str) -> Tally | None:
    """The tally of one player, over the rounds it has played; None if it has played none."""
    played = [one for one in rounds if player in one.guesses]
    if not played:
        return None
    said = np.array([one.guesses[player].probability for one in played])
    member = np.array([one.member for one in played])
    rewards = np.array([one.reward(player) for one in played])
    decided = abs(said - 0.5) >= UNDECIDED_WITHIN
    is_enough = len(played) >= MIN_ROUNDS_FOR_INTERVAL
    right = int(((said > 0.5) == member)[decided].sum())
    return Tally(
        player=player,
        n=len(played),
        reward=float(rewards.mean()),
        reward_ci=mean_interval(rewards) if is_enough and np.ptp(rewards) else None,
        right=right,
        decided=int(decided.sum()),
        right_ci=share_interval(right, int(decided.sum())) if decided.any() else None,
        spent=float(np.mean([one.guesses[player].spent for one in played])),
    )


def chance(right: int, decided: int) -> float:
    """How often a coin is right at least so many times."""
    return float(binomial_tail(right - 1, decided, 0.5))


def caution(mine: Tally) -> str:
    """What the visitor's rounds show, in words; mostly: nothing."""
    rounds = "1 round tells" if mine.n == 1 else f"{mine.n} rounds tell"
    if not mine.decided:
        return f"{rounds} nothing about skill; you have not taken a side yet."
    if mine.n < MIN_ROUNDS_FOR_SKILL and not mine.right:
        return f"{rounds} nothing about skill."
    how_often = _often(chance(mine.right, mine.decided))
    coin = f"a coin is right at least {mine.right} of {mine.decided} times in {how_often}"
    if mine.n < MIN_ROUNDS_FOR_SKILL:
        return f"{rounds} nothing about skill: {coin}."
    return f"{coin[0].upper()}{coin[1:]}. Count only if you fixed the number of rounds beforehand."


def _often(share: float) -> str:
    if share > 0.995:
        return "all games"
    return f"{share:.0%} of all games" if share >= 0.01 else "fewer than 1% of all games"
