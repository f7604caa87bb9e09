"""Many episodes at once against as many environments of one, step by step."""

from __future__ import annotations

import numpy as np
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from miagym.envs.vector import GameVectorEnv


def assert_the_same(
    native: GameVectorEnv,
    sync: SyncVectorEnv,
    mode: AutoresetMode,
    steps: int,
    *,
    stops: float = 0.3,
    more_than: int = 3,
) -> None:
    """Resets both, plays the same random actions in three episodes each, and compares all.

    Args:
        native: many at once.
        sync: three of one.
        mode: of the resets.
        steps: to play.
        stops: share of actions that end their episode.
        more_than: so many episodes must have begun, or there was too little to compare.
    """
    assert data_equivalence(native.reset(seed=7), sync.reset(seed=7), exact=True)
    native.action_space.seed(0)
    for _ in range(steps):
        action = native.action_space.sample()
        action["stop"] = (native.np_random.random(3) < stops).astype(np.int64)
        one, other = native.step(action), sync.step(action)
        assert data_equivalence(one, other, exact=True)
        done = one[2] | one[3]
        if mode == AutoresetMode.DISABLED and done.any():
            resets = [env.reset(options={"reset_mask": done.copy()}) for env in (native, sync)]
            assert data_equivalence(*resets, exact=True)
    assert native.game.begun.sum() > more_than, "too few episodes ended to compare resets"
