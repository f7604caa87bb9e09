"""Adapter of miagym's vector environments to stable-baselines3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from torch.nn import Linear, Sequential, Tanh

from miagym.agents.learned import LearnedAgent
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.settings import Settings
from miagym.envs.spaces import Observation
from miagym.envs.vector import GameVectorEnv
from miagym.envs.wrappers import Features, FlatActions
from miagym.envs.wrappers.maps import Belief, feature_space, features, flat_map
from miagym.errors import SettingsError

try:
    from stable_baselines3 import A2C, PPO
    from stable_baselines3.common.running_mean_std import RunningMeanStd
    from stable_baselines3.common.vec_env import VecEnv, VecNormalize
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn
except ImportError as error:
    raise SettingsError(
        'Learning agents need the library stable-baselines3: pip install "miagym[agents]".'
    ) from error


MASKS = "action_masks"
"""What sb3-contrib calls the masks of actions."""


class FlatVecEnv(VecEnv):
    """Vector environment that equals a `DummyVecEnv` of `FlatActions(Features(env))`, in one batch.

    As stable-baselines3 wants it, an episode that ends begins anew in the same step; what it showed
    last is in its info, as `terminal_observation`.

    Args:
        envs: of ours, made with `autoreset_mode="Disabled"`.
        levels: of probability, as in `FlatActions`.
        belief: as in `FlatActions`; required for pools.
        ratios: as in `Features`.

    Raises:
        SettingsError: if they are none of ours, or reset themselves, or have no reference for
            ratios.
    """

    def __init__(
        self,
        envs: gym.vector.VectorEnv,
        levels: int = 11,
        belief: Belief | None = None,
        ratios: bool = False,
    ) -> None:
        bare = envs.unwrapped
        if not isinstance(bare, GameVectorEnv):
            raise SettingsError(f"Expected vector environments of miagym, got {bare!r}.")
        if bare.autoreset_mode != AutoresetMode.DISABLED:
            raise SettingsError(
                f"Expected environments made with autoreset_mode={AutoresetMode.DISABLED.value!r}, "
                f"got {bare.autoreset_mode.value!r}."
            )
        self._envs, self._settings, self._ratios = bare, bare.settings, ratios
        pool = isinstance(bare, PoolVectorEnv)
        self._flat = flat_map(bare.settings, pool=pool, levels=levels, belief=belief)
        self._actions: object = None
        self._seen: Observation = {}
        super().__init__(bare.num_envs, feature_space(bare.settings, ratios), self._flat.space)

    def reset(self) -> NDArray[np.float32]:
        self._seen, infos = self._envs.reset(seed=list(self._seeds))
        self.reset_infos = self._listed(infos)
        self._reset_seeds()
        self._reset_options()
        return self._shown()

    def step_async(self, actions: NDArray[np.int64]) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        flat = self._flat.checked(self._actions, self.num_envs)
        action = self._flat.actions(flat, self._seen)
        self._seen, reward, terminated, truncated, info = self._envs.step(action)
        shown, done = self._shown(), terminated | truncated
        infos = self._listed(info)
        for i, one in enumerate(infos):
            one["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
            if done[i]:
                one["terminal_observation"] = shown[i].copy()
        if done.any():
            self._seen, begun = self._envs.reset(options={"reset_mask": done})
            for i in np.flatnonzero(done):
                self.reset_infos[i] = self._listed(begun)[i]
            shown = self._shown()
        return shown, reward.astype(np.float32), done, infos

    def _shown(self) -> NDArray[np.float32]:
        return features(self._seen, self._settings, self._ratios)

    def _listed(self, infos: dict[str, Any]) -> list[dict[str, Any]]:
        """One dictionary for each environment, its mask that of the flat actions."""
        listed = [
            {name: _plain(value[i]) for name, value in infos.items() if _has(infos, name, i)}
            for i in range(self.num_envs)
        ]
        for info in listed:
            if "action_mask" in info:
                info["action_mask"] = self._flat.mask(info["action_mask"][None])[0]
        return listed

    def close(self) -> None:
        self._envs.close()

    def action_masks(self) -> NDArray[np.bool_]:
        """Which numbers each environment can pay (b, actions)."""
        return self._flat.mask(self._envs.game.affordable(np.arange(self.num_envs))).astype(bool)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Gets an attribute that all environments share, such as `settings`, once for each."""
        if attr_name == MASKS:  # by which MaskablePPO finds out whether there are any
            return [partial(self._mask_of, i) for i in self._get_indices(indices)]
        return [getattr(self._envs, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Raises: nothing can be set in one environment and not in the others.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{attr_name!r} of these environments is fixed when they are made.")

    def env_method(
        self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """The masks of actions, for `MaskablePPO` of sb3-contrib; there is no other method of one.

        Raises:
            AttributeError: for any other name, since all environments are one object.
        """
        if method_name == MASKS:
            return [self._mask_of(i) for i in self._get_indices(indices)]
        raise AttributeError(f"These environments have no {method_name!r} of one of them alone.")

    def _mask_of(self, episode: int) -> NDArray[np.bool_]:
        return self.action_masks()[episode]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        wrapped = wrapper_class in (Features, FlatActions)
        return [wrapped for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        pictures = self._envs.render() or [None] * self.num_envs
        return [None if isinstance(one, str) else one for one in pictures]


def _has(infos: dict[str, Any], name: str, episode: int) -> bool:
    """Whether one environment said this; `_name` beside `name` tells who did."""
    return not name.startswith("_") and bool(infos[f"_{name}"][episode])


def _plain(value: Any) -> Any:
    """Numbers of arrays as the numbers that one environment would give."""
    return value.item() if isinstance(value, np.generic) else value


def learned_agent(
    model: PPO | A2C, settings: Settings, normalised: VecNormalize | None = None
) -> LearnedAgent:
    """Converts a model with an `MlpPolicy` to an agent that needs no library.

    Args:
        model: trained on a `FlatVecEnv` of `miagym/Single-v0`.
        settings: of those environments.
        normalised: what scaled its observations, if anything did; the first layer takes it over.

    Raises:
        SettingsError: if its network is none of linear layers with tanh between them.
    """
    policy = model.policy
    hidden = policy.mlp_extractor.policy_net
    assert isinstance(hidden, Sequential)
    steps = [*hidden, policy.action_net]
    linear = [step for step in steps[::2] if isinstance(step, Linear)]
    between = [step for step in steps[1::2] if isinstance(step, Tanh)]
    if len(linear) + len(between) < len(steps):
        raise SettingsError("Expected an MlpPolicy with tanh between its layers.")
    arrays = [[p.detach().cpu().numpy() for p in (step.weight, step.bias)] for step in linear]
    if normalised is not None:
        scales = normalised.obs_rms
        assert isinstance(scales, RunningMeanStd)
        first = arrays[0][0] / np.sqrt(scales.var + normalised.epsilon)
        offsets = arrays[0][1] - first @ scales.mean
        arrays[0] = [first.astype(np.float32), offsets.astype(np.float32)]
    agent = LearnedAgent(tuple((weights, offsets) for weights, offsets in arrays), settings)
    agent.check()
    return agent
