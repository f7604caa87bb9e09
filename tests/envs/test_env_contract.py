"""Every registered environment keeps Gymnasium's contract, at every access level."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import miagym
from miagym.data.dataset import Dataset
from miagym.envs import ENVIRONMENTS
from miagym.envs.settings import LEVELS
from miagym.targets.dummy import DummyTarget
from tests.envs.side_by_side import assert_the_same
from tests.tiers import mostly_slow

EVERY = [(name, str(level)) for name in ENVIRONMENTS for level in LEVELS]
SPENDING = {"budget": 24, "questions": ["variation@0.3", "text-to-image"]}


@pytest.mark.parametrize(("name", "access"), EVERY)
def test_gymnasium_s_own_checker_has_no_complaint(name: str, access: str) -> None:
    env = gym.make(name, access=access, disable_env_checker=True, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize(
    ("name", "access"),
    [
        pytest.param(name, access, marks=() if access == "black" else pytest.mark.slow)
        for name, access in EVERY
    ],
)
def test_a_seeded_rollout_repeats_exactly(name: str, access: str) -> None:
    one, other = (rollout(gym.make(name, access=access)) for _ in range(2))
    assert data_equivalence(one, other, exact=True)


def rollout(env: gym.Env, steps: int = 12) -> list[Any]:
    env.action_space.seed(5)
    seen: list[Any] = [env.reset(seed=3)]
    for _ in range(steps):
        *step, info = env.step(env.action_space.sample())
        seen.append((*step, info))
        if step[2] or step[3]:
            seen.append(env.reset())
    return seen


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("split", mostly_slow(["train", "test"], quick=["test"]))
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_many_at_once_are_the_same_as_one_by_one(
    name: str, split: str, mode: AutoresetMode, dummy: DummyTarget, small: Dataset
) -> None:
    """The dummy answers exactly alike in any batch, so that equal means equal to the last bit."""
    *_, single = ENVIRONMENTS[name][0].partition(":")
    *_, many = ENVIRONMENTS[name][1].partition(":")
    module = __import__(ENVIRONMENTS[name][0].partition(":")[0], fromlist=[single])
    options = {"target": dummy, "data": small, "split": split, "access": "white", "budget": 24}
    options |= {"candidates": 5} if "Pool" in name else {}
    sync = SyncVectorEnv([lambda: getattr(module, single)(**options)] * 3, autoreset_mode=mode)
    native = getattr(module, many)(3, autoreset_mode=mode, **options)
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert_the_same(native, sync, mode, 30, stops=0.2, more_than=6)


def test_make_vec_makes_the_native_one() -> None:
    envs = gym.make_vec("miagym/Pool-v0", num_envs=2, **SPENDING, candidates=4)
    observation, _ = envs.reset(seed=0)
    assert envs.observation_space.contains(observation)
    assert observation["candidates"].shape[:2] == (2, 4)
    assert type(envs.unwrapped).__name__ == "PoolVectorEnv"


@pytest.mark.slow
def test_they_are_there_after_import_and_by_module() -> None:
    assert set(ENVIRONMENTS) <= set(gym.registry)
    code = (
        "import gymnasium, sys; import miagym; "
        "assert 'torch' not in sys.modules and 'diffusers' not in sys.modules; "
        "env = gymnasium.make('miagym:miagym/Pool-v0', candidates=3); "
        "assert not env.unwrapped.game.begun.any()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
    assert miagym.__version__


def test_a_spec_rebuilds_the_environment() -> None:
    env = gym.make("miagym/Single-v0", budget=12, access="grey")
    assert env.spec is not None
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.settings.budget == 12
    assert again.observation_space == env.observation_space
