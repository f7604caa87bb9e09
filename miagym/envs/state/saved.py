"""Saving and restoring of environments: copies that go on to the same bit, and buy nothing."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from miagym.envs.settings import TRAIN, Settings
from miagym.errors import SettingsError

if TYPE_CHECKING:
    from miagym.envs.game import Game


@dataclass(frozen=True, eq=False)
class EnvState:
    """State of an environment between two steps: candidates, budget, answers, random generators.

    `set_state` takes it as often as you like; it can be pickled.
    """

    about: Mapping[str, object] = field(repr=False)
    """Settings of the environment, all of which another one must share."""
    game: Mapping[str, Any] = field(repr=False)
    """What `Game.saved` gave."""
    random: Mapping[str, Any] = field(repr=False)
    """Random generators of the environment, which the game's samplers share."""


class Restorable:
    """An environment whose state can be saved, restored, copied and pickled, but for graded splits.

    On `val` and `test` that ends once an episode has begun: a copy, or a step back, would ask for
    nothing what the episode pays for, and on `val` see the label before the verdict.
    """

    game: Game
    settings: Settings
    _random_attributes: tuple[str, ...]
    """Names of what holds the random generators."""

    def get_state(self) -> EnvState:
        """State between two steps, from which `set_state` goes on to the same bit.

        Raises:
            SettingsError: on `val` and `test`, once an episode has begun.
        """
        self._check_not_graded()
        random = {name: getattr(self, name) for name in self._random_attributes}
        return copy.deepcopy(EnvState(self._about(), self.game.saved(), random))

    def set_state(self, state: EnvState) -> None:
        """Restores a state of this environment, or of another with the same settings.

        An oracle of `oracle_from_env` from before is over: make it again.

        Raises:
            SettingsError: if it is no such state; on `val` and `test`, once an episode has begun.
        """
        self._check_not_graded()
        if not isinstance(state, EnvState):
            raise SettingsError(f"Expected a state that get_state() gave, got {state!r}.")
        ours = self._about()
        if differ := [name for name in ours if ours[name] != state.about.get(name)]:
            raise SettingsError(
                f"This state is of an environment with another {', another '.join(differ)}; "
                "expected a state of one with the same settings."
            )
        own = copy.deepcopy(state)
        vars(self).update(own.random)
        self.game.restore(own.game)

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A copy that shares what is never changed: settings, models and data."""
        for shared in (self.settings, getattr(self, "spec", None)):
            memo[id(shared)] = shared
        copied = object.__new__(type(self))
        memo[id(self)] = copied
        vars(copied).update(copy.deepcopy(self.__getstate__(), memo))
        copied.game.share_world(self.game)
        return copied

    def __getstate__(self) -> dict[str, Any]:
        self._check_not_graded()
        return dict(vars(self))

    def _check_not_graded(self) -> None:
        if self.settings.split != TRAIN and self.game.begun.any():
            raise SettingsError(
                f"An environment on {self.settings.split!r} is not saved, restored, copied or "
                "pickled once an episode has begun, since a copy would ask for nothing what the "
                "episode pays for; keep env.unwrapped.verdicts, or use split='train'."
            )

    def _about(self) -> dict[str, object]:
        settings = self.settings
        reference = settings.reference
        names = ("access", "budget", "steps", "guidance_scale", "candidates", "slots", "price")
        return {
            "kind": type(self).__name__,
            "number of episodes": len(self.game.over),
            "target": settings.subject,
            "reference": getattr(reference, "name", reference),
            **{name: value for name, value in settings.about.items() if name != "played"},
            **{name: getattr(settings, name) for name in names},
            "menu": [question.name for question in settings.menu],
            "terms": settings.about["played"].terms,
            "noise_seed": settings.noise_seed,
            "reference_noise": settings.reference_noise,
            "max_steps": settings.step_limit,
        }
