"""A filter refuses prompts, says no more than that, and charges as its rule is."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import SyncVectorEnv

from miagym.agents.agent import play
from miagym.agents.uploading import UploadingAgent
from miagym.data.dataset import Dataset
from miagym.envs.service.asking import ServiceQuestioner
from miagym.envs.service.env import ServiceEnv, ServiceVectorEnv
from miagym.envs.service.prompt_filter import PromptFilter
from miagym.envs.service.wrapper import NamedCalls
from miagym.errors import SettingsError
from miagym.targets.dummy import DummyTarget

FREE, CHARGED = PromptFilter(["ape", "in the style of"]), PromptFilter(["ape"], charged=True)


@pytest.fixture
def world(dummy: DummyTarget, small: Dataset) -> dict[str, Any]:
    return {"target": dummy, "data": small, "budget": 12}


@pytest.mark.parametrize(
    ("prompt", "refused"),
    [
        ("an ape", True),
        ("APE!", True),
        ("an_ape", False),
        ("\uff21\uff30\uff25", True),  # full width
        ("apes and grapes", False),
        ("a boat in  the\nSTYLE, of whom", True),
        ("of the style in", False),
        ("", False),
    ],
)
def test_words_are_compared_whole(prompt: str, refused: bool) -> None:
    assert FREE.refuses(prompt) is refused


@pytest.mark.parametrize(("one", "cost", "reward"), [(FREE, 0, -0.01), (CHARGED, 3, -0.1 * 3 / 12)])
def test_a_refused_call_draws_nothing_and_costs_what_the_rule_says(
    one: PromptFilter,
    cost: int,
    reward: float,
    world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = ServiceEnv(prompt_filter=one, render_mode="ansi", **world)
    env.reset(seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(ServiceQuestioner, "serve", lambda self, wanted: pytest.fail("drawn"))
        seen, paid, *_ = env.step(env.action(prompt="an ape", strength=0.3))
    assert seen["refused"] == [1] and not seen["answered"].any() and not seen["images"].any()
    assert seen["budget_left"] == [12 - cost] and paid == pytest.approx(reward)
    assert seen["count"] == [0] and "refused by the filter" in str(env.render())
    seen, *_ = env.step(env.action(prompt="a boat", strength=0.3))
    assert seen["refused"] == [0] and seen["answered"] == [1]
    assert seen["budget_left"] == [12 - cost - 3]
    assert env.reset()[0]["refused"] == [0]


def test_a_call_beyond_the_budget_costs_nothing_whatever_it_says(world: dict[str, Any]) -> None:
    env = ServiceEnv(prompt_filter=CHARGED, **world | {"budget": 2})
    env.reset(seed=0)
    seen, *_ = env.step(env.action(prompt="an ape", strength=0.3))
    assert seen["budget_left"] == [2] and seen["refused"] == [1]


def test_what_is_not_refused_is_as_without_a_filter(world: dict[str, Any]) -> None:
    """Noise and prices do not move, so that the filter is no channel."""
    plain, filtered = (ServiceEnv(prompt_filter=one, **world) for one in (None, FREE))
    for env in (plain, filtered):
        env.reset(seed=2)
    filtered.step(filtered.action(prompt="ape"))
    one, *_ = plain.step(plain.action(strength=0.4))
    other, *_ = filtered.step(filtered.action(strength=0.4))
    assert set(other) - set(one) == {"refused"}
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_gymnasium_is_content_and_many_are_as_one_by_one(world: dict[str, Any]) -> None:
    options = world | {"prompt_filter": CHARGED, "service": "full"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(ServiceEnv(**options), skip_render_check=True)
    sync = SyncVectorEnv([lambda: ServiceEnv(**options)] * 3)
    native = ServiceVectorEnv(3, **options)
    assert native.observation_space == sync.observation_space
    assert data_equivalence(native.reset(seed=7), sync.reset(seed=7), exact=True)
    native.action_space.seed(0)
    refused = 0
    for _ in range(8):
        action = native.action_space.sample() | {"prompt": ("an ape", "a boat", "ape!")}
        one, other = native.step(action), sync.step(action)
        assert data_equivalence(one, other, exact=True)
        refused += one[0]["refused"].sum()
    assert refused > 2


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_remembers_the_refusal(way: Any, world: dict[str, Any]) -> None:
    env = ServiceEnv(prompt_filter=CHARGED, **world)
    env.reset(seed=3)
    env.step(env.action(prompt="ape"))
    other = way(env)
    assert other.game.refused.tolist() == [[1]]
    action = env.action(strength=0.5)
    assert data_equivalence(env.step(action), other.step(action), exact=True)


def test_verdict_files_say_that_there_is_one_and_not_its_words(world: dict[str, Any]) -> None:
    env = ServiceEnv(prompt_filter=CHARGED, split="val", **world)
    env.reset(seed=0)
    env.step(env.action(probability=0.9, stop=1))
    terms = env.verdicts.played.terms
    assert "refuses prompts by 1 words, refused calls are charged" in terms and "ape" not in terms


@pytest.mark.parametrize("words", [[], "ape", [""], ["!?"], [3]])
def test_filters_that_are_none(words: Any) -> None:
    with pytest.raises(SettingsError, match=r"words .*to refuse"):
        PromptFilter(words)
    with pytest.raises(SettingsError, match="Expected PromptFilter"):
        ServiceEnv(prompt_filter=words)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped")
def test_agents_and_wrappers_go_on_with_the_ways_that_pass(
    world: dict[str, Any], small: Dataset
) -> None:
    """Captions are refused, empty prompts are not: each refused way is tried once a candidate."""
    said = sorted({word for caption in small.captions for word in caption.split()})
    shy = world | {"prompt_filter": PromptFilter(said, charged=True), "split": "test"}
    assert said
    spent = {}
    for ways in (["original@0.3", "original+empty@0.3"], ["original@0.3", "turned@0.3"]):
        envs = ServiceVectorEnv(2, **shy)
        play(UploadingAgent(envs, ways), envs, 2, seed=0)
        spent[ways[1]] = set(envs.verdicts.spent)
    assert spent == {"original+empty@0.3": {12.0}, "turned@0.3": {6.0}}
    env = NamedCalls(ServiceEnv(**shy), ways=["original@0.3"])
    env.reset(seed=0)
    numbers, *_ = env.step(0)
    assert numbers.tolist() == [0, 0, 0, 0.75]
