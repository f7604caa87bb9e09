"""Masks of actions as `MaskablePPO` of sb3-contrib asks for them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from miagym.agents.stable_baselines import FlatVecEnv
from miagym.data.dataset import Dataset
from miagym.envs.wrappers import Features, FlatActions
from miagym.targets.dummy import DummyTarget

OPTIONS = {"access": "grey", "budget": 3, "questions": ["loss@60", "pia@60", "caption-gap@200"]}


def masks_of(envs) -> np.ndarray:
    """As `sb3_contrib.common.maskable.utils.get_action_masks` does."""
    assert envs.has_attr("action_masks")  # as `is_masking_supported` asks
    return np.stack(envs.env_method("action_masks"))


@pytest.fixture
def options(dummy: DummyTarget, small: Dataset) -> dict:
    return {"target": dummy, "data": small, **OPTIONS}


def test_the_mask_says_what_the_budget_still_pays(options: dict) -> None:
    env = FlatActions(gym.make("miagym/Single-v0", **options), levels=3)
    _, info = env.reset(seed=0)
    assert env.action_masks().dtype == bool and env.action_masks().tolist() == [True] * 6
    *_, info = env.step(1)
    assert env.action_masks().tolist() == [True, False, False, True, True, True]
    assert (env.action_masks() == info["action_mask"]).all()


def test_a_pool_masks_each_candidate_s_questions(options: dict) -> None:
    made = gym.make("miagym/Pool-v0", candidates=2, slots=1, **options)
    env = FlatActions(made, belief=lambda observation: np.full(2, 0.5))
    env.reset(seed=0)
    env.step(1)
    assert env.action_masks().tolist() == [True, False, False] * 2 + [True]


def test_both_vector_environments_answer_as_sb3_contrib_asks(options: dict) -> None:
    one = DummyVecEnv([lambda: Features(FlatActions(gym.make("miagym/Single-v0", **options)))] * 2)
    native = FlatVecEnv(
        gym.make_vec("miagym/Single-v0", num_envs=2, autoreset_mode="Disabled", **options)
    )
    for envs in (one, native, VecNormalize(native)):
        envs.seed(0)
        envs.reset()
        assert masks_of(envs).all()
        envs.step(np.array([1, 0]))
        assert masks_of(envs)[:, :3].tolist() == [[True, False, False], [True, True, True]]
    assert native.env_method("action_masks", indices=1)[0].tolist() == masks_of(native)[1].tolist()
    with pytest.raises(AttributeError, match="no 'fly' of one"):
        native.env_method("fly")
