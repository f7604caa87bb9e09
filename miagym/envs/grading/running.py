"""Verdicts of a game that may still be running, and what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from miagym.envs.grading.verdicts import VerdictLog, Verdicts, VerdictScope

if TYPE_CHECKING:
    from miagym.envs.game import Game


def verdicts_of(game: Game) -> Verdicts:
    """All verdicts, those of episodes that still run and have asked or said anything among them.

    An episode that is never ended counts as if it were cut off now, with all that it spent: else
    whoever asked in one episode, and let it run, would judge in another for nothing.
    """
    log = game.log.copied()
    record(game, [e for e in range(len(game.over)) if is_given_up(game, e)], log)
    return log.verdicts(scope_of(game))


def record(game: Game, episodes: Sequence[int] | NDArray[np.intp], log: VerdictLog) -> None:
    """Keeps verdicts of episodes for grading, but those of `train`, which nobody grades."""
    if game.settings.split == "train":
        return
    for episode in episodes:
        keys = game.judged(episode)
        spent = game.settings.budget - int(game.accounts.left[episode])
        log.add(keys, game.probability[episode, : len(keys)], spent)


def is_given_up(game: Game, episode: int) -> bool:
    """Whether an episode that is not over has asked or said anything."""
    spent = game.accounts.left[episode] < game.settings.budget
    return bool(~game.over[episode] & (spent | (game.steps[episode] > 0)))


def scope_of(game: Game) -> VerdictScope:
    """What verdicts are about, with the fingerprint of the target or family that was asked."""
    about, family = game.settings.about, game.settings.family
    told = (game.world.target if family is None else family).fingerprint
    about["played"] = replace(about["played"], fingerprint=told)
    return about
