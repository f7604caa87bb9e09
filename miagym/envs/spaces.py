"""Observation and action spaces of a game, and the way from actions and to observations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from miagym.envs.game import Game
from miagym.envs.settings import Settings
from miagym.envs.state.moves import Moves
from miagym.envs.statistics import MAX_STATISTIC
from miagym.errors import ActionError
from miagym.targets.sizes import TOKENS, VOCABULARY

Observation = dict[str, Any]
"""Arrays by name."""
Action = dict[str, Any]


class GameSpaces(ABC):
    """Spaces of one environment, and the way from its actions and to its observations."""

    observation_space: spaces.Dict
    action_space: spaces.Dict
    game_kind: type[Game] = Game

    @abstractmethod
    def moves(self, action: Mapping[str, NDArray[Any]]) -> Moves:
        """Moves of checked actions, batched (k, ...)."""

    @abstractmethod
    def observe(self, game: Game, episodes: NDArray[np.intp]) -> Observation:
        """Observations of k episodes, batched (k, ...), in arrays of their own."""

    def info(self, game: Game, episode: int) -> dict[str, Any]:
        """Info of one episode: caption, affordable questions, the label at its end."""
        member = game.told(episode)
        info: dict[str, Any] = {
            "caption": game.dealt(episode).captions[0],
            "action_mask": game.affordable(np.array([episode]))[0],
        }
        if member is not None:
            info["member"] = int(member[0])
        return info

    def check(self, action: object, episodes: int) -> dict[str, NDArray[Any]]:
        """Checks a batch of actions, and returns arrays (episodes, ...).

        Raises:
            ActionError: if it is outside the action space; the message names what is allowed.
        """
        names = self.action_space.spaces.keys()
        if not isinstance(action, Mapping) or set(action) != set(names):
            got = ", ".join(map(str, action)) if isinstance(action, Mapping) else repr(action)
            raise ActionError(f"Expected an action with keys {', '.join(names)}; got {got}.")
        return {
            name: self.checked(name, space, action[name], episodes)
            for name, space in self.action_space.spaces.items()
        }

    def checked(
        self, name: str, space: spaces.Space[Any], value: Any, episodes: int
    ) -> NDArray[Any]:
        """Checks one part of a batch of actions, and returns an array (episodes, ...).

        Raises:
            ActionError: if it is outside its space.
        """
        return _checked(name, space, value, episodes)


def _checked(name: str, space: spaces.Space, value: Any, episodes: int) -> NDArray[Any]:
    shape = space.shape or ()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists, tensors with gradients
        raise ActionError(f"Expected {name!r} of shape {shape}, got {value!r}.") from error
    if shape == () and array.shape == (episodes, 1):  # as libraries that know no scalars say it
        array = array[:, 0]
    if array.shape != (episodes, *shape):
        each = array.shape[:1] == (episodes,)
        got = f"{array.shape[1:]}" if each else f"{array.shape} for all of them"
        of = f" for each of {episodes} environments" if episodes > 1 or not each else ""
        raise ActionError(f"Expected {name!r} of shape {shape}{of}, got {got}.")
    if isinstance(space, spaces.Box):
        low, high = space.low.min(), space.high.max()
        kinds, numbers = ("iu", "whole numbers") if space.dtype == np.uint8 else ("fiu", "numbers")
        nearly = low * (1 - 1e-6)  # 0.1 is below what 32 bits make of it
        if array.dtype.kind not in kinds or not ((array >= nearly) & (array <= high)).all():
            allowed = f"{numbers} from {low:g} to {high:g}"
            raise ActionError(f"Expected {name!r} to hold {allowed}, got {value!r}.")
        return array.astype(np.uint8 if space.dtype == np.uint8 else np.float64)
    least = int(space.start) if isinstance(space, spaces.Discrete) else 0
    most = space.nvec if isinstance(space, spaces.MultiDiscrete) else np.array(least + _size(space))
    if array.dtype.kind not in "biu" or not ((array >= least) & (array < most)).all():
        allowed = f"whole numbers from {least} to {int(most.max()) - 1}"
        raise ActionError(f"Expected {name!r} to hold {allowed}, got {value!r}.")
    return array.astype(np.int64)


def _size(space: spaces.Space) -> int:
    if isinstance(space, spaces.MultiBinary):
        return 2
    assert isinstance(space, spaces.Discrete)
    return int(space.n)


def pictures(settings: Settings, *shape: int) -> spaces.Box:
    """Space of pictures (*shape, size, size, 3), 8 bit."""
    size = settings.resolution
    return spaces.Box(0, 255, (*shape, size, size, 3), np.uint8)


def answer_pictures(settings: Settings, *shape: int) -> dict[str, spaces.Space[Any]]:
    """Space of the pictures that answer, by its name; nothing where the menu asks for none."""
    return {"images": pictures(settings, *shape)} if settings.answer_side else {}


def shown(game: Game, images: NDArray[np.uint8]) -> Observation:
    """The pictures that answer, by their name; nothing where the menu asks for none."""
    return {"images": images} if game.settings.answer_side else {}


def token_ids(*shape: int) -> spaces.Box:
    """Space of captions as the text encoder reads them (*shape, 77)."""
    return spaces.Box(0, VOCABULARY - 1, (*shape, TOKENS), np.int32)


def numbers(settings: Settings, *shape: int) -> spaces.Box:
    """Space of statistics of answers (*shape, F)."""
    return spaces.Box(0, MAX_STATISTIC, (*shape, settings.statistics), np.float32)


def budget_left(settings: Settings) -> spaces.Box:
    """Space of the UNet rows that are left (1,)."""
    return spaces.Box(0, settings.budget, (1,), np.int32)


def rows_left(game: Game, episodes: NDArray[np.intp]) -> NDArray[np.int32]:
    """UNet rows that k episodes have left (k, 1), as in `budget_left`."""
    return game.accounts.left[episodes, None].astype(np.int32)
