"""Copies and restored environments go on to the same bit, and buy nothing where it is graded."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AsyncVectorEnv

from attacks import make_attack
from miagym.data.dataset import Dataset
from miagym.envs import oracle_from_env
from miagym.envs.env import GameEnv
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.single import SingleEnv, SingleVectorEnv
from miagym.envs.wrappers import Features, FlatActions
from miagym.errors import SettingsError
from miagym.targets.dummy import DummyTarget

FACES = [SingleEnv, PoolEnv]
Make = Callable[..., GameEnv]


@pytest.fixture(params=FACES)
def make(request: pytest.FixtureRequest, dummy: DummyTarget, small: Dataset) -> Make:
    def make(**more: Any) -> GameEnv:
        pool = {"candidates": 5, "slots": 3} if request.param is PoolEnv else {}
        options = {"access": "grey", "budget": 24, **pool, **more}
        return request.param(target=dummy, data=small, **options)

    return make


def played(env: gym.Env, actions: list[Any]) -> list[Any]:
    """Everything that is seen, over episodes that end."""
    seen: list[Any] = []
    for action in actions:
        *step, info = env.step(action)
        seen.append((*step, info))
        if step[2] or step[3]:
            seen.append(env.reset())
    return seen


def actions_of(env: gym.Env, n: int) -> list[Any]:
    env.action_space.seed(1)
    actions = [env.action_space.sample() for _ in range(n)]
    for i, action in enumerate(actions):
        action["stop"] = int(i % 7 == 6)
    return actions


def begun(env: gym.Env, steps: int = 4) -> list[Any]:
    """Begins, plays some steps, and says what is to come."""
    env.reset(seed=3)
    actions = actions_of(env, steps + 20)
    played(env, actions[:steps])
    return actions[steps:]


WAYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_goes_on_to_the_same_bit(way: str, make: Make) -> None:
    env = make()
    actions = begun(env)
    other = WAYS[way](env)
    assert other is not env and other.game is not env.game
    expected = played(env, actions)
    assert data_equivalence(played(other, actions), expected, exact=True)
    assert len(expected) > len(actions), "no episode ended, so no candidates were dealt anew"


def test_copies_share_the_model_and_nothing_that_changes(make: Make) -> None:
    env = make()
    actions = begun(env)
    other = copy.deepcopy(env)
    before = env.game.accounts.left.copy(), env.get_state()
    played(other, actions)
    assert other.game.world is env.game.world and other.settings is env.settings
    assert env.game.accounts.left == before[0]
    assert data_equivalence(dict(env.get_state().game)["count"], dict(before[1].game)["count"])


def test_a_state_is_restored_as_often_as_one_likes(make: Make) -> None:
    env = make()
    actions = begun(env)
    state = env.get_state()
    expected = played(env, actions)
    for _ in range(2):
        env.set_state(state)
        assert data_equivalence(played(env, actions), expected, exact=True)
    other = make()
    other.reset(seed=9)
    other.set_state(pickle.loads(pickle.dumps(state)))
    assert data_equivalence(played(other, actions), expected, exact=True)


def test_the_first_state_is_restored_without_answers(make: Make) -> None:
    env = make()
    env.reset(seed=5)
    state, actions = env.get_state(), actions_of(env, 8)
    expected = played(env, actions)
    env.set_state(state)
    assert data_equivalence(played(env, actions), expected, exact=True)


def test_an_embedded_target_answers_the_same_bits_from_a_cold_cache() -> None:
    """A network rounds by the size of the batch, so that what was answered must travel along."""
    options = {"access": "grey", "budget": 12, "candidates": 4, "slots": 4, "device": "cpu"}
    env = PoolEnv(target="clipart-overfit", questions=["loss@60", "sima@60"], **options)
    env.reset(seed=0)
    half = np.full(4, 0.5, dtype=np.float32)
    all_, one = np.arange(4), np.array([2, 4, 4, 4])
    asks = [
        {"candidate": who, "question": np.full(4, k), "probability": half, "stop": 0}
        for who, k in ((all_, 0), (one, 1), (one, 0))
    ]
    env.step(asks[0])
    other = pickle.loads(pickle.dumps(env))
    assert data_equivalence(played(other, asks[1:]), played(env, asks[1:]), exact=True)


def test_wrapped_environments_are_copied_too(dummy: DummyTarget, small: Dataset) -> None:
    made = gym.make("miagym/Single-v0", target=dummy, data=small, access="grey", budget=6)
    env = Features(FlatActions(made))
    env.reset(seed=0)
    env.step(0)
    for way in (copy.deepcopy, WAYS["pickle"]):
        other = way(env)
        for action in (1, 0):
            one, two = copy.deepcopy(env).step(action), copy.deepcopy(other).step(action)
            assert data_equivalence(one, two, exact=True)


@pytest.mark.parametrize("kind", [SingleVectorEnv, PoolVectorEnv])
def test_many_at_once_are_saved_too(kind: Any, dummy: DummyTarget, small: Dataset) -> None:
    envs = kind(3, target=dummy, data=small, access="grey", budget=24)
    envs.reset(seed=1)
    envs.action_space.seed(0)
    actions = [envs.action_space.sample() for _ in range(12)]
    envs.step(actions[0])
    state, copied = envs.get_state(), copy.deepcopy(envs)
    pickled = pickle.loads(pickle.dumps(envs))
    expected = [envs.step(action) for action in actions[1:]]
    envs.set_state(state)
    for again in (envs, copied, pickled):
        steps = [again.step(action) for action in actions[1:]]
        assert data_equivalence(steps, expected, exact=True)


def go_on(env: Any, actions: list[Any], sent: Any) -> None:
    sent.put(played(env, actions))


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("face", FACES)
def test_a_spawned_worker_goes_on(face: Any) -> None:
    context = multiprocessing.get_context("spawn")
    env, sent = face(target="clipart-overfit", access="grey", device="cpu"), context.Queue()
    actions = begun(env)
    worker = context.Process(target=go_on, args=(env, actions, sent))
    worker.start()
    found = sent.get(timeout=120)
    worker.join()
    assert data_equivalence(found, played(env, actions), exact=True)


@pytest.mark.long
@pytest.mark.slow
def test_environments_work_in_spawned_workers() -> None:
    def make() -> gym.Env:
        return gym.make("miagym:miagym/Single-v0", budget=4, access="grey")

    envs = AsyncVectorEnv([make] * 2, context="spawn")
    _, info = envs.reset(seed=0)
    envs.close()
    one = make()
    assert info["caption"][0] == one.reset(seed=0)[1]["caption"]


GRADED = [(split, way) for split in ("val", "test") for way in (*WAYS, "get_state", "set_state")]


@pytest.mark.parametrize(("split", "way"), GRADED)
def test_nothing_is_bought_twice_where_it_is_graded(split: str, way: str, make: Make) -> None:
    """Neither a copy nor a step back refunds a question, or shows a label before the verdict."""
    env = make(split=split)
    fresh = env.get_state()
    actions = begun(env)
    left, judged = env.game.accounts.left.copy(), len(env.verdicts)
    with pytest.raises(SettingsError, match=f"An environment on '{split}' is not saved"):
        if way == "set_state":
            env.set_state(fresh)
        elif way == "get_state":
            env.get_state()
        else:
            WAYS[way](env)
    assert (env.game.accounts.left == left).all() and len(env.verdicts) == judged
    played(env, actions)
    assert env.verdicts.spent.sum() > 0


@pytest.mark.parametrize("split", ["val", "test"])
def test_what_has_not_begun_is_copied_on_any_split(split: str, make: Make) -> None:
    env = make(split=split)
    for way in WAYS.values():
        other = way(env)
        other.set_state(env.get_state())
        other.reset(seed=1)
        assert not env.game.begun.any() and other.game.begun.all()
    trained = make()
    trained.reset(seed=0)
    with pytest.raises(SettingsError, match="another split"):
        env.set_state(trained.get_state())


def test_a_step_back_leaves_the_meter_and_ends_oracles(make: Make) -> None:
    env = make()
    env.reset(seed=0)
    state = env.get_state()
    oracle = oracle_from_env(env)
    make_attack("loss")(oracle, oracle.candidates)
    actions = actions_of(env, 3)
    played(env, actions)
    asked = env.game.questioner.oracles[0].meter.total()
    env.set_state(state)
    assert env.game.questioner.oracles[0].meter.total() == asked != type(asked)()
    with pytest.raises(ResetNeeded):
        oracle.encode(oracle.candidates)
    again = oracle_from_env(env)
    assert len(again.encode(again.candidates)) == len(again.candidates)


def test_what_is_no_state_of_it_is_a_sentence(make: Make) -> None:
    env, other = make(), make(budget=25)
    env.reset(seed=0)
    other.reset(seed=0)
    with pytest.raises(SettingsError, match=r"Expected a state that get_state\(\) gave, got 3"):
        env.set_state(3)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="environment with another budget"):
        env.set_state(other.get_state())
