"""Wrapper for standard reinforcement learning: a few named ways to call, and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from miagym.envs.service.env import ServiceEnv
from miagym.envs.service.uploads import UploadSample
from miagym.envs.service.ways import DISTANCES, MIN_DISTANCE, distances, ways_of
from miagym.envs.spaces import Action, Observation
from miagym.envs.state.moves import PRIOR
from miagym.errors import ActionError, SettingsError
from miagym.remote.env import RemoteEnv

LOWEST = float(np.log(MIN_DISTANCE))


class NamedCalls(gym.Wrapper[Any, Any, Any, Action], gym.utils.RecordConstructorArgs):
    """Wrapper whose actions are one whole number, and whose observations are numbers.

    Actions `Discrete(W + levels)`: call in way w, or the verdict with probability
    j / (levels - 1). Observations (W · 3 + 1,), float32: for each way the logarithms of its mean
    distances (see `ways.DISTANCES`) as shares of the lowest one, 0 where there is no answer, and
    the share of the answers that the budget buys; then the share of the budget that is left. All
    are computed here from the pictures that arrived.

    Args:
        env: `miagym/Service-v0`, or a hosted one.
        ways: such as "original@0.3", "turned@0.3", "turned+empty@0.3", "none+cut".
        levels: of probability in the verdict.
        other: a picture with a caption of the agent's own, for ways that need one.
        seed: of the noise in noised uploads.

    Raises:
        SettingsError, UnknownName: if it is another environment, or a way is none.
    """

    def __init__(
        self,
        env: gym.Env[Observation, Any],
        ways: Sequence[str] = ("original@0.3", "turned@0.3"),
        levels: int = 11,
        other: UploadSample | None = None,
        seed: int = 0,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, ways=ways, levels=levels, other=other, seed=seed
        )
        gym.Wrapper.__init__(self, env)
        bare = env.unwrapped
        if not (isinstance(bare, ServiceEnv) or (isinstance(bare, RemoteEnv) and bare.service)):
            raise SettingsError(
                f"NamedCalls wraps miagym/Service-v0, also a hosted one, got {bare!r}."
            )
        if not isinstance(levels, int) or levels < 2:
            raise SettingsError(f"Expected 2 or more levels of probability, got {levels!r}.")
        self._settings, self._other, self._seed = bare.settings, other, seed
        self._ways, self._levels = ways_of(ways, bare.settings, other), levels
        self.action_space = spaces.Discrete(len(self._ways) + levels)
        width = len(self._ways) * (len(DISTANCES) + 1) + 1
        self.observation_space = spaces.Box(0, 1, (width,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        seen, info = self.env.reset(seed=seed, options=options)
        self._about = UploadSample(seen["candidate"], info["caption"])
        self._count = np.zeros(len(self._ways), dtype=np.int64)
        self._sums = np.zeros((len(self._ways), len(DISTANCES)))
        self._rng = np.random.default_rng(self._seed)
        return self._numbers(seen), self._masked(seen, info)

    def step(
        self, action: int
    ) -> tuple[NDArray[np.float32], SupportsFloat, bool, bool, dict[str, Any]]:
        """Calls, or ends the episode.

        Raises:
            ActionError: if the number is outside the space; nothing is charged.
            ResetNeeded: if the episode is over.
        """
        number = np.asarray(action)
        most = len(self._ways) + self._levels - 1
        if number.dtype.kind not in "iu" or number.size != 1 or not 0 <= number.item() <= most:
            raise ActionError(f"Expected a whole number from 0 to {most}, got {action!r}.")
        at = int(number.item())
        if at >= len(self._ways):
            said = (at - len(self._ways)) / (self._levels - 1)
            call = self.get_wrapper_attr("action")(probability=said, stop=1)
            seen, reward, terminated, truncated, info = self.env.step(call)
        else:
            way = self._ways[at]
            sent = way.sample(self._about, self._other, self._rng)
            step = self.env.step(way.action(self._settings, sent, PRIOR))
            seen, reward, terminated, truncated, info = step
            if seen["answered"][0]:
                self._count[at] += 1
                self._sums[at] += distances(sent.picture, seen["images"][0])
        return self._numbers(seen), reward, terminated, truncated, self._masked(seen, info)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which numbers may be paid, as `MaskablePPO` of sb3-contrib asks for it."""
        return self._mask.astype(bool)

    def _numbers(self, seen: Observation) -> NDArray[np.float32]:
        asked = self._count[:, None]
        means = np.maximum(self._sums / np.maximum(asked, 1), MIN_DISTANCE)
        logs = np.where(asked > 0, np.log(np.minimum(means, 1)) / LOWEST, 0)
        share = asked / self._settings.max_answers
        left = seen["budget_left"] / self._settings.budget
        return np.concatenate([np.hstack([logs, share]).ravel(), left]).astype(np.float32)

    def _masked(self, seen: Observation, info: dict[str, Any]) -> dict[str, Any]:
        kinds = [self._settings.kind.calls.index(way.kind) for way in self._ways]
        verdicts = np.ones(self._levels, dtype=np.int8)
        self._mask = np.concatenate([seen["affordable"][kinds], verdicts]).astype(np.int8)
        return {**info, "action_mask": self._mask.copy()}
