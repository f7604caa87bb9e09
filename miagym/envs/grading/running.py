"""Verdicts of a game that may still be running, and what they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from miagym.envs.grading.verdicts import Verdicts, VerdictScope

if TYPE_CHECKING:
    from miagym.envs.game import Game


def verdicts_of(game: Game) -> Verdicts:
    """All verdicts, those of episodes that still run and have asked or said anything among them.

    An episode that is never ended counts as if it were cut off now, with all that it spent: else
    whoever asked in one episode, and let it run, would judge in another for nothing.
    """
    log = game.log.copied()
    game.record([e for e in range(len(game.over)) if game.is_given_up(e)], log)
    return log.verdicts(scope_of(game))


def scope_of(game: Game) -> VerdictScope:
    """What verdicts are about, with the fingerprint of the target that was asked."""
    about = game.settings.about
    about["played"] = replace(about["played"], fingerprint=game.world.target.fingerprint)
    return about
