"""Gymnasium environment of a game with one episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from miagym.envs.grading.running import verdicts_of
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.rendering import MODES, render
from miagym.envs.settings import Settings
from miagym.envs.spaces import Action, GameSpaces, Observation
from miagym.envs.state.saved import Restorable
from miagym.errors import SettingsError

ONLY_EPISODE = np.array([0])
"""The one episode."""


class GameEnv(Restorable, gym.Env[Observation, Action]):
    """Base of `SingleEnv` and `PoolEnv`, which differ in their spaces.

    Args:
        settings: who is asked, about whom, what it may cost.
        game_spaces: spaces, and what is seen through them.
        render_mode: "ansi", "rgb_array", or None.
        keep_history: whether observations show every answer.

    Raises:
        SettingsError: if there is no such render mode.
    """

    _random_attributes = ("_np_random", "_np_random_seed")
    metadata: dict[str, Any] = {"render_modes": list(MODES), "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        settings: Settings,
        game_spaces: GameSpaces,
        render_mode: str | None,
        *,
        keep_history: bool = False,
    ) -> None:
        self.settings = settings
        self.render_mode = checked_mode(render_mode)
        self.observation_space, self.action_space = (
            game_spaces.observation_space,
            game_spaces.action_space,
        )
        self.game = game_spaces.game_kind(settings, episodes=1, keep_history=keep_history)
        self._spaces = game_spaces

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode with new candidates, after a seed from the whole split.

        Raises:
            SettingsError: if there are options, since there are none.
        """
        check_reset_options(options)
        super().reset(seed=seed)
        self.game.begin(0, self.np_random, shuffle=seed is not None)
        return self.seen(), self._spaces.info(self.game, 0)

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Asks, or ends the episode with a verdict.

        Raises:
            ActionError: if the action is outside the space; nothing is charged.
            ResetNeeded: if the episode is over.
        """
        if self.game.over[0]:
            raise ResetNeeded("The episode is over; call reset() before the next step.")
        moves = self._spaces.moves(self._spaces.check(_batched(action), 1))
        outcome = self.game.play(ONLY_EPISODE, moves)
        ends = bool(outcome.terminated[0]), bool(outcome.truncated[0])
        info = self._spaces.info(self.game, 0)
        return self.seen(), float(outcome.reward[0]), *ends, info

    def render(self) -> str | NDArray[np.uint8] | None:  # type: ignore[override]
        """The state of the game as text ("ansi") or as a picture (h, w, 3) ("rgb_array")."""
        return None if self.render_mode is None else render(self.game, 0, self.render_mode)

    @property
    def verdicts(self) -> Verdicts:
        """All verdicts so far on `val` or `test`, for a grader; running episodes too."""
        return verdicts_of(self.game)

    def affordable(self) -> NDArray[np.int8]:
        """Which questions of the menu can be paid now (menu,)."""
        return self.game.affordable(ONLY_EPISODE)[0]

    def seen(self) -> Observation:
        """The observation as of now, in arrays of its own."""
        batch = self._spaces.observe(self.game, ONLY_EPISODE)
        return {name: value[0] for name, value in batch.items()}


def _batched(action: object) -> object:
    """A batch of one, of whatever was handed in; `GameSpaces.check` judges it."""
    if not isinstance(action, Mapping):
        return action
    return {name: [value] for name, value in action.items()}


def check_reset_options(options: object, known: tuple[str, ...] = ()) -> None:
    """Checks what `reset` is told besides a seed.

    Raises:
        SettingsError: if it is no dictionary of options that there are.
    """
    if not isinstance(options, Mapping | None):
        raise SettingsError(f"Expected reset options in a dictionary, got {options!r}.")
    if unknown := sorted(map(str, set(options or ()) - set(known))):
        allowed = f"only {', '.join(known)}" if known else "none"
        raise SettingsError(f"Expected reset options: {allowed}; got {', '.join(unknown)}.")


def checked_mode(render_mode: str | None) -> str | None:
    """Checks a render mode.

    Raises:
        SettingsError: if it is none.
    """
    if render_mode is not None and render_mode not in MODES:
        allowed = ", ".join(map(repr, MODES))
        raise SettingsError(f"Expected a render mode {allowed} or None, got {render_mode!r}.")
    return render_mode
