"""A rate limit makes callers wait, and changes nothing else."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from miagym.data.dataset import Dataset
from miagym.envs.service.env import ServiceEnv, ServiceVectorEnv
from miagym.envs.service.prompt_filter import PromptFilter
from miagym.envs.service.rate_limit import Bucket, a_minute
from miagym.errors import SettingsError
from miagym.targets.dummy import DummyTarget


@pytest.fixture
def world(dummy: DummyTarget, small: Dataset) -> dict[str, Any]:
    return {"target": dummy, "data": small, "budget": 12}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    slept = SimpleNamespace(sleep=found.append)
    monkeypatch.setattr("miagym.envs.service.rate_limit.time", slept)
    return found


def slowed(game: Any, waited: list[float]) -> None:
    game.questioner._bucket = a_minute(3, lambda: sum(waited))


def test_three_calls_a_minute_are_three_and_then_one_in_twenty_seconds(
    world: dict[str, Any], waited: list[float]
) -> None:
    free = ServiceEnv(**world)
    free.reset(seed=1)
    env = ServiceEnv(calls_a_minute=3, prompt_filter=PromptFilter(["ape"]), **world)
    env.reset(seed=1)
    slowed(env.game, waited)
    for _ in range(3):
        assert not waited
        seen, *_ = env.step(env.action(strength=0.3))
        expected, *_ = free.step(free.action(strength=0.3))
        assert np.array_equal(seen["images"], expected["images"])
    for prompt in ("an ape", "a boat"):  # refused by the filter, and by the budget: calls as well
        env.step(env.action(prompt=prompt, strength=1.0))
    assert waited == pytest.approx([20, 20])
    env.step(env.action(probability=0.8, stop=1))
    env.reset()
    env.step(env.action(strength=0.3))
    assert waited == pytest.approx([20, 20, 20]), "no reset renews it; a verdict is no call"


def test_each_environment_has_a_rate_of_its_own(world: dict[str, Any], waited: list[float]) -> None:
    envs = ServiceVectorEnv(2, calls_a_minute=3, **world)
    envs.reset(seed=0)
    slowed(envs.game, waited)
    action = envs.action_space.sample() | {"stop": np.array([0, 1])}
    for _ in range(3):
        envs.step(action)
        envs.reset(options={"reset_mask": np.array([True, True])})
    assert not waited
    envs.step(action)
    assert waited == pytest.approx([20])


def test_it_is_of_the_settings_and_copies_have_it(world: dict[str, Any]) -> None:
    env = ServiceEnv(calls_a_minute=3, split="val", **world)
    env.reset(seed=0)
    assert isinstance(copy.deepcopy(ServiceEnv(calls_a_minute=3, **world)), ServiceEnv)
    assert isinstance(env.game.questioner._bucket, Bucket)
    env.step(env.action(probability=0.8, stop=1))
    assert env.verdicts.played.terms.endswith("3 calls a minute")


@pytest.mark.parametrize("calls", [0, -1, 1.5, True, "often", 10**6])
def test_rates_that_are_none(calls: Any, world: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="from 1 to 6000 calls a minute, or None"):
        ServiceEnv(calls_a_minute=calls, **world)
