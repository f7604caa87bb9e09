"""Whatever is handed in, the answer is a sentence that names what is allowed."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from miagym.data.dataset import Dataset
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.single import SingleEnv, SingleVectorEnv
from miagym.errors import (
    AccessDenied,
    ActionError,
    BudgetError,
    MiagymError,
    SettingsError,
    UnknownName,
)
from miagym.targets.dummy import DummyTarget

GOOD = {"candidate": [0], "question": [0], "probability": [0.5, 0.5], "stop": 0}
BAD = [
    ({"candidate": [3]}, "'candidate' to hold whole numbers from 0 to 2"),
    ({"candidate": [-1]}, "from 0 to 2"),
    ({"candidate": [0.5]}, "whole numbers"),
    ({"candidate": [0, 0]}, r"'candidate' of shape \(1,\)"),
    ({"question": [7]}, "from 0 to 2"),
    ({"question": None}, "'question'"),
    ({"probability": [np.nan, 0.5]}, "'probability' to hold numbers from 0 to 1"),
    ({"probability": [1.01, 0.5]}, "from 0 to 1"),
    ({"probability": ["a", "b"]}, "from 0 to 1"),
    ({"probability": [[0.5], [0.5, 0.5]]}, "'probability'"),
    ({"stop": 2}, "from 0 to 1"),
    ({"stop": 1.0}, "whole numbers"),
    ({"more": 1}, "keys candidate, probability, question, stop"),
]


@pytest.fixture
def env(dummy: DummyTarget, small: Dataset) -> PoolEnv:
    env = PoolEnv(target=dummy, data=small, candidates=2, slots=1, budget=20)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize(("change", "message"), BAD)
def test_actions_outside_the_space_cost_nothing(
    change: dict[str, Any], message: str, env: PoolEnv
) -> None:
    with pytest.raises(ActionError, match=message):
        env.step({**GOOD, **change})
    assert env.game.accounts.left.tolist() == [20] and env.game.steps.tolist() == [0]
    assert env.step(GOOD)[0]["answered"].tolist() == [1]


@pytest.mark.parametrize("action", [None, 3, [0, 0], {}])
def test_an_action_is_a_dictionary(action: object, env: PoolEnv) -> None:
    with pytest.raises(ActionError, match="keys candidate, probability"):
        env.step(action)  # pyright: ignore[reportArgumentType]


OPTIONS: list[tuple[dict[str, Any], type[MiagymError], str]] = [
    ({"access": "purple"}, SettingsError, "'black', 'grey' or 'white', got 'purple'"),
    ({"access": "blind"}, SettingsError, "'black', 'grey' or 'white'"),
    ({"split": "all"}, SettingsError, "'train', 'val' or 'test'"),
    ({"budget": 0}, BudgetError, "whole number from 1"),
    ({"budget": 1}, BudgetError, r"cheapest question, variation@0.3, costs 3"),
    ({"budget": 2.5}, BudgetError, "whole number"),
    ({"questions": ["variation@2"]}, SettingsError, "a strength above 0"),
    ({"questions": ["variation"]}, SettingsError, "as in variation@0.3"),
    ({"questions": ["loss@1e9"], "access": "grey"}, SettingsError, "timestep from 0 to 999"),
    ({"questions": ["text-to-image@3"]}, SettingsError, "no value"),
    ({"questions": ["los@200"]}, UnknownName, "did you mean loss"),
    ({"questions": []}, SettingsError, "at least one"),
    ({"questions": "loss@200"}, SettingsError, "list of questions"),
    ({"questions": ["variation@0.3", "variation@0.30"]}, SettingsError, "once"),
    ({"questions": ["loss@200"]}, AccessDenied, "needs grey access.*text-to-image, variation"),
    ({"target": "clipart-overfitted"}, UnknownName, "did you mean clipart-overfit"),
    ({"data": "clipart-tuned"}, UnknownName, "did you mean clipart-tune"),
    ({"render_mode": "human"}, SettingsError, "'ansi', 'rgb_array'"),
    ({"price": -1}, SettingsError, "price of 0 or more"),
    ({"budgett": 3}, SettingsError, "argument 'budgett'; its options are target"),
    ({"steps": 0}, SettingsError, "steps"),
]


@pytest.mark.parametrize(("options", "error", "message"), OPTIONS)
@pytest.mark.parametrize("kind", [SingleEnv, PoolEnv])
def test_options_that_make_no_environment(
    kind: type, options: dict[str, Any], error: type[MiagymError], message: str
) -> None:
    with pytest.raises(error, match=message):
        kind(**options).reset()


def test_make_says_the_same() -> None:
    with pytest.raises(BudgetError, match="cheapest"):
        gym.make("miagym/Single-v0", budget=1)
    with pytest.raises(SettingsError, match="argument 'candidates'"):
        gym.make("miagym/Single-v0", candidates=3)
    with pytest.raises(gym.error.NameNotFound, match="Pool"):
        gym.make("miagym/Pol-v0")


def test_a_target_without_gradients_is_not_asked_for_them(
    dummy: DummyTarget, small: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dummy, "has_gradients", False)
    with pytest.raises(SettingsError, match=r"dummy gives no gradients.*'black' or 'grey'"):
        SingleEnv(target=dummy, data=small, access="white")


def test_pools_larger_than_the_split(dummy: DummyTarget, small: Dataset) -> None:
    env = PoolEnv(target=dummy, data=small, candidates=41, split="test", budget=200)
    with pytest.raises(SettingsError, match=r"41 candidates cannot be dealt from 40 \(small, test"):
        env.reset(seed=0)


def test_a_target_of_one_s_own_needs_data(dummy: DummyTarget) -> None:
    with pytest.raises(SettingsError, match="data="):
        SingleEnv(target=dummy)


def test_vector_environments_are_as_strict(dummy: DummyTarget, small: Dataset) -> None:
    options: dict[str, Any] = {"target": dummy, "data": small}
    with pytest.raises(SettingsError, match="num_envs of 1 or more"):
        SingleVectorEnv(0, **options)
    with pytest.raises(SettingsError, match="autoreset mode"):
        SingleVectorEnv(2, autoreset_mode="Never", **options)
    envs = PoolVectorEnv(2, candidates=2, slots=1, **options)
    good = {name: [value] * 2 for name, value in GOOD.items()}
    with pytest.raises(ResetNeeded):
        envs.step(good)
    with pytest.raises(SettingsError, match="Expected 2 seeds, got 1"):
        envs.reset(seed=[1])
    with pytest.raises(SettingsError, match="reset_mask"):
        envs.reset(options={"reset_mask": np.zeros(2, dtype=bool)})
    envs.reset(seed=0)
    with pytest.raises(ActionError, match="for each of 2 environments"):
        envs.step(GOOD)
    assert envs.game.accounts.left.tolist() == [120, 120]
    envs.step(good)


@pytest.mark.parametrize(
    ("target", "data", "reference"),
    [
        ("clipart-overfit", None, "clipart-overfit"),
        ("clipart-overfit", None, "clipart-overfit@130"),
        ("clipart-null", "clipart-tune", "clipart-overfit"),
        ("clipart-realistic", None, "clipart-overfit"),  # it was tuned from the target itself
    ],
)
def test_a_reference_that_knows_the_members_is_refused(
    target: str, data: str | None, reference: str
) -> None:
    with pytest.raises(SettingsError, match="cannot be the reference"):
        SingleEnv(target=target, data=data, reference=reference)


def test_a_reference_stands_beside_the_target(dummy: DummyTarget, small: Dataset) -> None:
    with pytest.raises(SettingsError, match="is the target itself"):
        SingleEnv(target=dummy, data=small, reference=dummy).reset(seed=0)
    blind = DummyTarget(small.candidates(np.arange(4), 64))
    blind.has_gradients = False
    with pytest.raises(SettingsError, match="no gradients"):
        SingleEnv(target=dummy, data=small, access="white", reference=blind).reset(seed=0)
    little = DummyTarget(small.candidates(np.arange(4), 32))
    with pytest.raises(SettingsError, match="reference dummy works on 32 pixels"):
        SingleEnv(target=dummy, data=small, reference=little).reset(seed=0)
    SingleEnv(target="clipart-null", data="clipart-tune", reference="clipart-realistic")
