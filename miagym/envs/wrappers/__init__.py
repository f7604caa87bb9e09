"""Wrappers for standard reinforcement learning: flat actions and numeric features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, cast, runtime_checkable

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from miagym.envs.wrappers.maps import (
    Action,
    Belief,
    Observation,
    feature_space,
    features,
    flat_map,
)
from miagym.errors import SettingsError

if TYPE_CHECKING:
    from miagym.envs.wrappers.maps import Sizes


class Features(gym.ObservationWrapper[Any, Any, Observation], gym.utils.RecordConstructorArgs):
    """Wrapper whose observations are numbers in [0, 1] (d,), float32: answers and what is left.

    No pictures and no captions: see `maps.features` for what stands where.

    Args:
        env: of ours, also a hosted one, in any wrappers that leave its observations alone.
        ratios: whether to show the target's statistics relative to the reference's, too; see
            `maps.log_ratios`.

    Raises:
        SettingsError: if it is no environment of ours, or shows other observations, or ratios are
            wanted where there is no reference.
    """

    def __init__(self, env: gym.Env[Observation, Any], ratios: bool = False) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, ratios=ratios)
        gym.ObservationWrapper.__init__(self, env)
        self._settings = bare(env).settings
        if env.observation_space != env.unwrapped.observation_space:
            raise SettingsError(
                "Features reads the game's own observations; wrap it with nothing "
                "that changes them before."
            )
        self._ratios = ratios
        self.observation_space = feature_space(self._settings, ratios)

    def observation(self, observation: Observation) -> NDArray[np.float32]:
        batch = {name: np.asarray(value)[None] for name, value in observation.items()}
        return features(batch, self._settings, self._ratios)[0]


class FlatActions(gym.Wrapper[Any, Any, Any, Action], gym.utils.RecordConstructorArgs):
    """Wrapper whose actions are one whole number that asks or ends the episode.

    In `miagym/Single-v0`, `Discrete(K + levels)`: question k, or the verdict with probability
    j / (levels - 1). In `miagym/Pool-v0`, `Discrete(n K + 1)`: question k about candidate i is
    number i K + k and fills one slot; the last number is the verdict, with the probabilities of
    `belief`. `info["action_mask"]` is the mask of these numbers, int8: 0 for questions that the
    budget does not cover, always 1 for verdicts.

    Args:
        env: of ours, also a hosted one, in any wrappers that leave its actions alone, so before or
            after `Features`.
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
        if env.action_space != env.unwrapped.action_space:
            raise SettingsError(
                "FlatActions speaks the game's own actions; wrap it with nothing "
                "that changes them before."
            )
        actions = cast(gym.spaces.Dict, env.unwrapped.action_space)
        settings, pool = self._game_env.settings, "candidate" in actions.spaces
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
        seen = self._game_env.seen()
        batch = self._flat.actions(flat, {name: value[None] for name, value in seen.items()})
        moves = {name: value[0] for name, value in batch.items()}
        observation, reward, terminated, truncated, info = self.env.step(moves)
        return observation, reward, terminated, truncated, self._masked(info)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which numbers can be paid, as `MaskablePPO` of sb3-contrib asks for it."""
        return self._flat.mask(self._game_env.affordable()[None])[0].astype(bool)

    def _masked(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self._flat.mask(info["action_mask"][None])[0]}


@runtime_checkable
class Playable(Protocol):
    """Environment of miagym, in this process or at a host."""

    @property
    def settings(self) -> Sizes: ...

    def affordable(self) -> NDArray[np.int8]:
        """Which questions of the menu can be paid now (menu,)."""
        ...

    def seen(self) -> Observation:
        """The observation as of now."""
        ...


def bare(env: gym.Env[Any, Any]) -> Playable:
    """Environment of miagym inside its wrappers.

    Raises:
        SettingsError: if it is none, or a service, which has neither a menu nor statistics.
    """
    found = env.unwrapped
    if not isinstance(found, Playable):
        raise SettingsError(
            f"Expected an environment of miagym, such as miagym/Pool-v0; got {found!r}."
        )
    if "summary" not in cast(gym.spaces.Dict, found.observation_space).spaces:
        raise SettingsError(
            "A service has neither a menu nor statistics; wrap it with NamedCalls of "
            "miagym.envs.service.wrapper."
        )
    return found
