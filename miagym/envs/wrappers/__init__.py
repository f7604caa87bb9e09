"""Wrappers for standard reinforcement learning: flat actions and numeric features."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from miagym.envs.env import ONLY_EPISODE, GameEnv
from miagym.envs.pool import PoolEnv, PoolSpaces
from miagym.envs.single import SingleSpaces
from miagym.envs.spaces import Action, Observation
from miagym.envs.wrappers.maps import Belief, feature_space, features, flat_map
from miagym.errors import SettingsError


class Features(gym.ObservationWrapper[Any, Any, Observation], gym.utils.RecordConstructorArgs):
    """Wrapper whose observations are numbers in [0, 1] (d,), float32: answers and what is left.

    No pictures and no captions: see `maps.features` for what stands where.

    Args:
        env: of ours, in any wrappers that leave its observations alone.

    Raises:
        SettingsError: if it is no environment of ours, or shows other observations.
    """

    def __init__(self, env: gym.Env[Observation, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        self._settings = bare(env).settings
        if env.observation_space != bare(env).observation_space:
            raise SettingsError(
                "Features reads the game's own observations; wrap it with nothing "
                "that changes them before."
            )
        self.observation_space = feature_space(self._settings)

    def observation(self, observation: Observation) -> NDArray[np.float32]:
        batch = {name: np.asarray(value)[None] for name, value in observation.items()}
        return features(batch, self._settings)[0]


class FlatActions(gym.Wrapper[Any, Any, Any, Action], gym.utils.RecordConstructorArgs):
    """Wrapper whose actions are one whole number that asks or ends the episode.

    In `miagym/Single-v0`, `Discrete(K + levels)`: question k, or the verdict with probability
    j / (levels - 1). In `miagym/Pool-v0`, `Discrete(n K + 1)`: question k about candidate i is
    number i K + k and fills one slot; the last number is the verdict, with the probabilities of
    `belief`. `info["action_mask"]` is the mask of these numbers, int8: 0 for questions that the
    budget does not cover, always 1 for verdicts.

    Args:
        env: of ours, in any wrappers that leave its actions alone, so before or after `Features`.
        levels: of probability, in the verdict about a single candidate.
        belief: from the pool's own observation, to probabilities (n,); required for pools.

    Raises:
        SettingsError: if it is no environment of ours or takes other actions, levels are fewer
            than 2, or a pool lacks a belief.
    """

    def __init__(
        self, env: gym.Env[Any, Action], levels: int = 11, belief: Belief | None = None
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, levels=levels, belief=belief)
        gym.Wrapper.__init__(self, env)
        self._game_env = bare(env)
        if env.action_space != self._game_env.action_space:
            raise SettingsError(
                "FlatActions speaks the game's own actions; wrap it with nothing "
                "that changes them before."
            )
        settings, pool = self._game_env.settings, isinstance(self._game_env, PoolEnv)
        self._spaces = PoolSpaces(settings) if pool else SingleSpaces(settings)
        self._flat = flat_map(settings, pool=pool, levels=levels, belief=belief)
        self.action_space = self._flat.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._masked(info)

    def step(self, action: int) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Asks, or ends the episode.

        Raises:
            ActionError: if the number is outside the space, or the belief is none; nothing is
                charged.
            ResetNeeded: if the episode is over.
        """
        flat = self._flat.checked([action], episodes=1)
        # What the game shows, whatever wrappers make of it.
        seen = self._spaces.observe(self._game_env.game, ONLY_EPISODE)
        batch = self._flat.actions(flat, seen)
        moves = {name: value[0] for name, value in batch.items()}
        observation, reward, terminated, truncated, info = self.env.step(moves)
        return observation, reward, terminated, truncated, self._masked(info)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which numbers can be paid, as `MaskablePPO` of sb3-contrib asks for it."""
        affordable = self._game_env.game.affordable(ONLY_EPISODE)
        return self._flat.mask(affordable)[0].astype(bool)

    def _masked(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self._flat.mask(info["action_mask"][None])[0]}


def bare(env: gym.Env[Any, Any]) -> GameEnv:
    """Environment of miagym inside its wrappers.

    Raises:
        SettingsError: if it is none.
    """
    found = env.unwrapped
    if not isinstance(found, GameEnv):
        raise SettingsError(
            f"Expected an environment of miagym, such as miagym/Pool-v0; got {found!r}."
        )
    return found
