"""Played episodes as a Minari data set: opened again, they are what was played."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import minari
import numpy as np
import pytest

import miagym
from miagym.agents.agent import Agent
from miagym.agents.random import RandomAgent
from miagym.agents.recording import record
from miagym.errors import DataError, SettingsError

assert miagym.__version__
NAME = "miagym/pool-random-v0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


def pool(split: str = "train") -> gym.Env:
    options = {"access": "black", "candidates": 3, "budget": 12, "steps": 4, "split": split}
    return gym.make("miagym/Pool-v0", **options)


def player(env: gym.Env) -> Agent:
    prices = np.array([question.price for question in env.unwrapped.settings.menu])  # type: ignore[attr-defined]
    return RandomAgent(prices, stops=0.2)


@pytest.mark.slow
def test_a_recorded_game_is_played_again_from_the_file() -> None:
    env = pool()
    record(player(env), env, NAME, episodes=2, seed=4)
    kept = minari.load_dataset(NAME)
    assert kept.total_episodes == 2 and kept.storage.metadata["algorithm_name"] == "RandomAgent"
    again = kept.recover_environment()
    assert again.unwrapped.spec == env.unwrapped.spec
    for number, episode in enumerate(kept):
        seen, _ = again.reset(seed=4 if number == 0 else None)
        for step in range(len(episode.rewards)):
            for part, value in seen.items():
                np.testing.assert_allclose(episode.observations[part][step], value, rtol=1e-5)
            action = {part: values[step] for part, values in episode.actions.items()}
            seen, reward, terminated, truncated, _ = again.step(action)
            assert reward == pytest.approx(episode.rewards[step])
            assert terminated == episode.terminations[step]
            assert truncated == episode.truncations[step]
        assert episode.terminations[-1] or episode.truncations[-1]
        assert episode.rewards[-1] != 0  # of train, where labels are told


@pytest.mark.parametrize("split", ["val", "test"])
def test_where_no_reward_is_told_nothing_is_recorded(split: str, folder: Path) -> None:
    env = pool(split)
    with pytest.raises(SettingsError, match="on split='train', whose rewards are told"):
        record(player(env), env, NAME, episodes=1, seed=0)
    with pytest.raises(SettingsError, match="an environment of miagym"):
        record(player(env), gym.make("CartPole-v1"), NAME, episodes=1, seed=0)
    assert not any(folder.iterdir())


def test_a_name_that_is_taken_or_none_is_refused_before_anything_is_played() -> None:
    env = pool()
    agent = player(env)
    record(agent, env, NAME, episodes=1, seed=0)
    with pytest.raises(DataError, match="there is one of this name already"):
        record(agent, env, NAME, episodes=1, seed=0)
    with pytest.raises(DataError, match="the name of a new data set"):
        record(agent, env, "pool of mine", episodes=1, seed=0)
