"""What people plug in: libraries that know no scalars, name modules, or try options."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from torch.nn import ModuleDict

from miagym.data.dataset import Dataset
from miagym.envs.pool import PoolEnv
from miagym.envs.single import SingleEnv, SingleVectorEnv
from miagym.envs.wrappers import Features, FlatActions
from miagym.errors import SettingsError, UnknownOption
from miagym.targets.dummy import DummyTarget

ASK = {"question": 0, "probability": 0.5, "stop": 0}


@pytest.fixture
def options(dummy: DummyTarget, small: Dataset) -> dict[str, Any]:
    return {"target": dummy, "data": small, "access": "grey", "budget": 3}


@pytest.mark.parametrize("access", ["black", "grey", "white"])
@pytest.mark.parametrize("kind", [SingleEnv, PoolEnv])
def test_no_name_is_one_that_a_module_dictionary_owns(
    kind: type[SingleEnv | PoolEnv], access: str, options: dict[str, Any]
) -> None:
    env = kind(**options | {"access": access, "budget": 12})
    owned = set(dir(ModuleDict()))
    assert not owned & {*env.observation_space.spaces, *env.action_space.spaces}


SMALL = {
    PPO: {"n_steps": 8, "batch_size": 8},
    A2C: {"n_steps": 8},
    DQN: {"learning_starts": 4, "buffer_size": 32},
}


@pytest.mark.parametrize("algorithm", SMALL)
@pytest.mark.parametrize("wrapped", [False, True])
def test_stable_baselines_trains_on_what_is_seen(
    algorithm: type[BaseAlgorithm], wrapped: bool, options: dict[str, Any]
) -> None:
    """With `MultiInputPolicy` on the game's own observations, and with `MlpPolicy` on features."""
    env = SingleEnv(**options, questions=["loss@60"])
    flat = FlatActions(Features(env) if wrapped else env)
    policy = "MlpPolicy" if wrapped else "MultiInputPolicy"
    model = algorithm(policy, flat, **SMALL[algorithm], device="cpu")
    assert model.learn(16).num_timesteps >= 16


def test_without_pictures_on_the_menu_there_are_none_to_see(options: dict[str, Any]) -> None:
    for kind in (SingleEnv, PoolEnv):
        env = kind(**options, questions=["loss@60"])
        observation, _ = env.reset(seed=0)
        assert "images" not in observation and env.observation_space.contains(observation)
        both = kind(**options | {"budget": 12}, questions=["loss@60", "variation@0.3"])
        assert "images" in both.reset(seed=0)[0]


def test_scalars_may_come_as_arrays_of_one(options: dict[str, Any]) -> None:
    env, other = (SingleEnv(**options) for _ in range(2))
    env.reset(seed=0), other.reset(seed=0)
    plain, *_ = env.step(ASK)
    boxed, *_ = other.step({name: np.array([value]) for name, value in ASK.items()})
    for name in plain:
        np.testing.assert_array_equal(plain[name], boxed[name])


def test_an_unknown_option_is_a_type_error_as_python_s_own() -> None:
    """Some libraries try `frameskip`, and take it back when they read just this."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'") as caught:
        gym.make("miagym/Single-v0", frameskip=1)
    assert isinstance(caught.value, UnknownOption)


def test_reset_options_that_there_are_not_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="none; got difficulty"):
        SingleEnv(**options).reset(options={"difficulty": 3})
    with pytest.raises(SettingsError, match="only reset_mask; got mask"):
        SingleVectorEnv(2, **options).reset(options={"mask": [True, False]})
    SingleEnv(**options).reset(seed=0, options={})


def test_a_vector_says_what_its_environments_share(options: dict[str, Any]) -> None:
    envs = SingleVectorEnv(np.int64(2), **options, render_mode="ansi")  # type: ignore[arg-type]
    envs.reset(seed=0)
    assert envs.get_attr("settings") == (envs.settings,) * 2 == envs.call("settings")
    assert envs.call("render") == envs.render()
    for refused in (lambda: envs.call("step", ASK), lambda: envs.set_attr("budget", 99)):
        with pytest.raises(SettingsError, match="environments"):
            refused()


def test_one_question_with_two_names_is_refused(options: dict[str, Any]) -> None:
    twins = {"questions": ["variation@0.3", "variation@0.39"], "budget": 12}
    with pytest.raises(SettingsError, match=r"are one question; .*raise steps="):
        SingleEnv(**options | twins)
    assert len(SingleEnv(**options | twins | {"budget": 39}, steps=100).settings.menu) == 2
