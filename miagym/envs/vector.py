"""Vector environment of a game with many episodes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from miagym.envs.env import check_reset_options, checked_mode
from miagym.envs.grading.running import verdicts_of
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.rendering import MODES, render
from miagym.envs.settings import Settings
from miagym.envs.spaces import Action, GameSpaces, Observation
from miagym.envs.state.saved import Restorable
from miagym.errors import SettingsError

Step = tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class GameVectorEnv(Restorable, VectorEnv[Observation, Action, Any]):
    """Base of `SingleVectorEnv` and `PoolVectorEnv`; like `SyncVectorEnv`, but for the last bits.

    Row i has a generator of its own, seeded with seed + i.

    Args:
        num_envs: how many.
        settings: the same for all.
        game_spaces: spaces of one, and what is seen through them.
        autoreset_mode: how an episode follows another, as in Gymnasium.
        render_mode: "ansi", "rgb_array", or None.
        keep_history: whether observations show every answer.

    Raises:
        SettingsError: if there is no such mode, or no environment at all.
    """

    _random_attributes = ("_rngs",)

    def __init__(
        self,
        num_envs: int,
        settings: Settings,
        game_spaces: GameSpaces,
        autoreset_mode: str | AutoresetMode,
        render_mode: str | None,
        *,
        keep_history: bool = False,
    ) -> None:
        if not isinstance(num_envs, Integral) or isinstance(num_envs, bool) or num_envs < 1:
            raise SettingsError(f"Expected num_envs of 1 or more, got {num_envs!r}.")
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError:
            allowed = ", ".join(repr(mode.value) for mode in AutoresetMode)
            raise SettingsError(
                f"Expected an autoreset mode {allowed}, got {autoreset_mode!r}."
            ) from None
        self.metadata = {
            "render_modes": list(MODES),
            "render_fps": 1,
            "autoreset_mode": self.autoreset_mode,
        }
        self.settings, self.num_envs = settings, int(num_envs)
        self.render_mode = checked_mode(render_mode)
        self.single_observation_space = game_spaces.observation_space
        self.single_action_space = game_spaces.action_space
        self.observation_space = batch_space(game_spaces.observation_space, num_envs)
        self.action_space = batch_space(game_spaces.action_space, num_envs)
        self.game = game_spaces.game_kind(settings, num_envs, keep_history=keep_history)
        self._spaces, self._everyone = game_spaces, np.arange(num_envs)
        self._rngs: list[np.random.Generator | None] = [None] * num_envs

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins episodes: all, or those of `options["reset_mask"]`, an array of truth values.

        Raises:
            SettingsError: if there are not as many seeds, or the mask has another shape.
        """
        seeds = self._seeds(seed)
        infos: dict[str, Any] = {}
        for i in self._masked(options):
            self._begin(int(i), seeds[i])
            infos = self._add_info(infos, self._spaces.info(self.game, int(i)), int(i))
        return self._spaces.observe(self.game, self._everyone), infos

    def step(self, actions: Action) -> Step:
        """Steps all environments; what they ask goes through the target together.

        Raises:
            ActionError: if an action is outside the space; nothing is charged.
            ResetNeeded: if an episode is over and autoreset is disabled, or none has begun.
        """
        over = self.game.over.copy()
        begun = all(rng is not None for rng in self._rngs)
        if not begun or (over.any() and self.autoreset_mode != AutoresetMode.NEXT_STEP):
            which = np.flatnonzero(over).tolist()
            raise ResetNeeded(f"Episodes {which} are over, or never began; reset them.")
        batch = self._spaces.check(actions, self.num_envs)
        playing = np.flatnonzero(~over)
        moves = self._spaces.moves({name: value[playing] for name, value in batch.items()})
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), dtype=bool)
        outcome = self.game.play(playing, moves)
        rewards[playing] = outcome.reward
        terminated[playing], truncated[playing] = outcome.terminated, outcome.truncated
        for i in np.flatnonzero(over):  # what they were told to do is ignored, and costs nothing
            self._begin(int(i))
        infos = self._infos(terminated | truncated)
        return (
            self._spaces.observe(self.game, self._everyone),
            rewards,
            terminated,
            truncated,
            infos,
        )

    def _infos(self, done: NDArray[np.bool_]) -> dict[str, Any]:
        """Of all episodes; under SAME_STEP those that are done begin anew, and keep their end."""
        infos: dict[str, Any] = {}
        for i in map(int, self._everyone):
            if done[i] and self.autoreset_mode == AutoresetMode.SAME_STEP:
                last = {
                    name: a[0] for name, a in self._spaces.observe(self.game, np.array([i])).items()
                }
                final = {"final_obs": last, "final_info": self._spaces.info(self.game, i)}
                infos = self._add_info(infos, final, i)
                self._begin(i)
            infos = self._add_info(infos, self._spaces.info(self.game, i), i)
        return infos

    def render(self) -> tuple[str | NDArray[np.uint8], ...] | None:
        """Renders each environment."""
        if self.render_mode is None:
            return None
        return tuple(render(self.game, int(i), self.render_mode) for i in self._everyone)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """An attribute that all environments share, such as `settings`, once for each."""
        return (getattr(self, name),) * self.num_envs

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What each environment says to `render`, or the value of an attribute for each.

        Raises:
            SettingsError: for any other method, since all environments are one object.
        """
        if name == "render":
            return self.render() or (None,) * self.num_envs
        if callable(getattr(self, name, None)):
            raise SettingsError(
                f"These environments are one object, so {name} cannot be called on each of them; "
                "expected 'render' or an attribute."
            )
        return self.get_attr(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Refuses: nothing is set in one environment and not in the others.

        Raises:
            SettingsError: always.
        """
        raise SettingsError(
            f"{name} of these environments is fixed when they are made; make them anew with it."
        )

    @property
    def verdicts(self) -> Verdicts:
        """All verdicts so far on `val` or `test`, for a grader; running episodes too."""
        return verdicts_of(self.game)

    def _begin(self, episode: int, seed: int | None = None) -> None:
        rng = self._rngs[episode]
        if seed is not None or rng is None:
            rng = seeding.np_random(seed)[0]
            self._rngs[episode] = rng
        self.game.begin(episode, rng, shuffle=seed is not None)

    def _seeds(self, seed: int | list[int | None] | None) -> Sequence[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, Integral):
            return [int(seed) + i for i in range(self.num_envs)]
        if not isinstance(seed, list | tuple):
            raise SettingsError(f"Expected a whole number or a list of them as seed, got {seed!r}.")
        seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise SettingsError(f"Expected {self.num_envs} seeds, got {len(seeds)}.")
        return seeds

    def _masked(self, options: dict[str, Any] | None) -> NDArray[np.intp]:
        check_reset_options(options, ("reset_mask",))
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return self._everyone
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise SettingsError(
                f"Expected a reset_mask of {self.num_envs} truth values, at least one of them "
                f"true; got {mask!r}."
            )
        return np.flatnonzero(mask)
