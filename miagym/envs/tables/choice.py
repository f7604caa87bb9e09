"""Who answers: the models that the settings name, or a table in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miagym.envs.tables.playing import TableQuestioner, TableWorld

if TYPE_CHECKING:  # torch is imported where models answer, and nowhere else
    from miagym.envs.asking import Questioner
    from miagym.envs.settings import Settings
    from miagym.envs.world import World

    AnyWorld = World | TableWorld
    AnyQuestioner = Questioner | TableQuestioner


def load_world(settings: Settings) -> AnyWorld:
    """Loads what a game is about.

    Raises:
        TargetError, DataError, SettingsError: as `World.load`, or `TableWorld.load`.
    """
    if settings.answers is not None:
        return TableWorld.load(settings)
    from miagym.envs.world import World

    return World.load(settings)


def questioner_of(settings: Settings, world: AnyWorld, episodes: int) -> AnyQuestioner:
    """Makes the questioner of a game with so many episodes."""
    if isinstance(world, TableWorld):
        return TableQuestioner(settings, world)
    from miagym.envs.asking import Questioner

    return Questioner(settings, world, episodes)
