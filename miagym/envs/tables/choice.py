"""Who answers: the model that the settings name, one of a family, or a table in their place."""

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
        TargetError, DataError, SettingsError: as `load` of `World`, `FamilyWorld`, `TableWorld`.
    """
    if settings.answers is not None:
        return TableWorld.load(settings)
    if settings.family is not None:
        from miagym.envs.family.world import FamilyWorld

        return FamilyWorld.load(settings)
    from miagym.envs.world import World

    return World.load(settings)


def questioner_of(settings: Settings, world: AnyWorld, episodes: int) -> AnyQuestioner:
    """Makes the questioner of a game with so many episodes."""
    if isinstance(world, TableWorld):
        return TableQuestioner(settings, world)
    if settings.family is not None:
        from miagym.envs.family.asking import FamilyQuestioner
        from miagym.envs.family.world import FamilyWorld

        assert isinstance(world, FamilyWorld)
        return FamilyQuestioner(settings, world, episodes)
    from miagym.envs.asking import Questioner

    return Questioner(settings, world, episodes)
