"""Wrappers for standard reinforcement learning: one number to act, numbers to see."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_env_of_stable_baselines
from stable_baselines3.common.vec_env import DummyVecEnv

from miagym.agents.stable_baselines import FlatVecEnv
from miagym.data.dataset import Dataset
from miagym.envs.env import GameEnv
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.single import SingleEnv, SingleVectorEnv
from miagym.envs.wrappers import Features, FlatActions
from miagym.envs.wrappers.maps import log_ratios, squashed
from miagym.errors import ActionError, SettingsError
from miagym.targets.dummy import DummyTarget

GREY = {"access": "grey", "questions": ["loss@60", "pia@200", "sima@60"], "budget": 7}
POOL = {**GREY, "candidates": 3, "slots": 2}
QUESTIONS = 3
EMPTY = {"candidate": [3, 3], "question": [0, 0], "probability": [0.5] * 3, "stop": 0}


def half(observation: dict[str, Any]) -> np.ndarray:
    """A belief without a view, but for whom has been asked about most."""
    return 0.5 + 0.1 * (observation["count"].sum(axis=1) > 0)


BELIEF = {"SingleEnv": None, "PoolEnv": half}


@pytest.fixture(params=["SingleEnv", "PoolEnv"])
def env(request: pytest.FixtureRequest, dummy: DummyTarget, small: Dataset) -> GameEnv:
    if request.param == "SingleEnv":
        return SingleEnv(target=dummy, data=small, **GREY)
    return PoolEnv(target=dummy, data=small, **POOL)


def flat(env: GameEnv) -> FlatActions:
    return FlatActions(Features(env), belief=BELIEF[type(env).__name__])


@pytest.mark.parametrize("name", ["miagym/Single-v0", "miagym/Pool-v0"])
def test_both_checkers_are_content_and_the_spec_rebuilds_it(name: str) -> None:
    belief = None if "Single" in name else half
    made = gym.make(name, access="grey", disable_env_checker=True, render_mode="rgb_array")
    env = FlatActions(Features(made), belief=belief)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")
        check_env(env)
        check_env_of_stable_baselines(env)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert again.action_space == env.action_space
    assert again.observation_space == env.observation_space
    if belief is None:
        gym.envs.registration.EnvSpec.from_json(env.spec.to_json())


@pytest.mark.parametrize("question", range(QUESTIONS))
def test_a_number_does_what_the_action_does(
    question: int, dummy: DummyTarget, small: Dataset
) -> None:
    flat_env = FlatActions(SingleEnv(target=dummy, data=small, **GREY), levels=5)
    env = SingleEnv(target=dummy, data=small, **GREY)
    for one in (flat_env, env):
        one.reset(seed=0)
    assert flat_env.action_space.n == QUESTIONS + 5
    asked = env.step({"question": question, "probability": 0.5, "stop": 0})
    assert_same(flat_env.step(question), asked)
    said = env.step({"question": 0, "probability": 0.75, "stop": 1})
    assert_same(flat_env.step(QUESTIONS + 3), said)
    assert said[2] and said[1] in (1 - 4 * 0.75**2, 1 - 4 * 0.25**2)


@pytest.mark.parametrize("candidate", [0, 2])
def test_a_number_asks_about_one_of_a_pool(
    candidate: int, dummy: DummyTarget, small: Dataset
) -> None:
    flat_env = FlatActions(PoolEnv(target=dummy, data=small, **POOL), belief=half)
    env = PoolEnv(target=dummy, data=small, **POOL)
    for one in (flat_env, env):
        one.reset(seed=0)
    assert flat_env.action_space.n == 3 * QUESTIONS + 1
    action = {"candidate": [candidate, 3], "question": [1, 0], "probability": [0.5] * 3, "stop": 0}
    assert_same(flat_env.step(candidate * QUESTIONS + 1), env.step(action))
    believed = np.where(np.arange(3) == candidate, 0.6, 0.5)
    said = env.step({**action, "probability": believed, "stop": 1})
    assert_same(flat_env.step(3 * QUESTIONS), said)
    assert said[2]


def assert_same(one: Any, other: Any) -> None:
    """Equal steps, but for the mask, which each action space has its own of."""
    for step in (one, other):
        step[4].pop("action_mask")
    assert data_equivalence(one, other, exact=True)


def test_the_mask_says_what_can_be_paid(env: GameEnv) -> None:
    """Numbers that it allows are answered; others cost nothing and are fined."""
    wrapped = flat(env)
    _, info = wrapped.reset(seed=0)
    verdicts = wrapped.action_space.n - env.settings.candidates * QUESTIONS
    while True:
        mask = info["action_mask"]
        assert mask.dtype == np.int8 and mask.shape == (wrapped.action_space.n,)
        assert mask[-verdicts:].all()
        left = env.game.accounts.left[0]
        prices = np.tile([1, 2, 1], env.settings.candidates)
        assert (mask[:-verdicts] == (prices <= left)).all()
        if not mask[1]:
            break
        _, reward, *_, info = wrapped.step(1)
        assert env.game.accounts.left[0] == left - 2
    _, reward, *_ = wrapped.step(1)
    assert reward == -0.01 and env.game.accounts.left[0] == left
    *_, info = wrapped.step(wrapped.action_space.n - 1)
    assert not info["action_mask"][:-verdicts].any() and info["action_mask"][-verdicts:].all()


def test_the_order_of_the_wrappers_does_not_matter(dummy: DummyTarget, small: Dataset) -> None:
    one = FlatActions(Features(PoolEnv(target=dummy, data=small, **POOL)), belief=half)
    other = Features(FlatActions(PoolEnv(target=dummy, data=small, **POOL), belief=half))
    assert one.observation_space == other.observation_space
    assert data_equivalence(one.reset(seed=1), other.reset(seed=1), exact=True)
    for action in (0, 4, 9):
        assert data_equivalence(one.step(action), other.step(action), exact=True)


def test_features_are_numbers_that_tell_what_was_answered(env: GameEnv) -> None:
    wrapped = flat(env)
    first, _ = wrapped.reset(seed=0)
    after, *_ = wrapped.step(0)
    asked, menu = env.settings.candidates * QUESTIONS, QUESTIONS
    count = slice(asked * env.settings.statistics, -menu - 1)
    assert not first[count].any() and first[-1] == 1
    assert after[count][0] == np.float32(1 / 7) and after[-1] == np.float32(6 / 7)
    values = env.game.summary[0, 0, 0]
    np.testing.assert_allclose(after[:4], values / (1 + values), rtol=1e-6)
    other, _ = wrapped.reset(seed=1)
    assert data_equivalence(other, first), "a picture or a caption shows in the features"


@given(st.floats(0, 1e6, width=32), st.floats(0, 1e6, width=32))
def test_squashing_keeps_the_order(a: float, b: float) -> None:
    one, other = squashed(np.array([a, b], dtype=np.float32))
    assert 0 <= one <= 1 and (a <= b) <= (one <= other)


def test_log_ratios_compare_the_target_with_the_reference() -> None:
    rng = np.random.default_rng(0)
    target, public = np.exp(rng.normal(0, 0.1, size=(2, 5, 3, 4)))
    summary = np.concatenate([target, public], axis=-1).astype(np.float32)
    plain = 1 / (1 + (public / target) ** 20)
    np.testing.assert_allclose(log_ratios(summary), plain, rtol=1e-4)
    assert (log_ratios(np.zeros((2, 8), np.float32)) == 0.5).all(), "nothing was asked"
    apart = np.array([[0, 1e6], [1e6, 0], [2, 2]], dtype=np.float32)
    assert log_ratios(apart)[:, 0].tolist() == pytest.approx([0, 1, 0.5])


@pytest.mark.parametrize("kind", [SingleEnv, PoolEnv])
def test_ratios_are_seen_where_there_is_a_reference(
    kind: type[GameEnv], dummy: DummyTarget, small: Dataset
) -> None:
    public = DummyTarget(small.candidates(np.flatnonzero(~small.member), dummy.resolution))
    pool, belief = kind is PoolEnv, BELIEF[kind.__name__]
    options: dict[str, Any] = {"target": dummy, "data": small, **(POOL if pool else GREY)}
    with pytest.raises(SettingsError, match="Ratios are of the target to a reference"):
        Features(kind(**options), ratios=True)
    options["reference"] = public
    many = PoolVectorEnv if pool else SingleVectorEnv
    one = DummyVecEnv(
        [lambda: FlatActions(Features(kind(**options), ratios=True), belief=belief)] * 2
    )
    other = FlatVecEnv(many(2, autoreset_mode="Disabled", **options), belief=belief, ratios=True)
    assert other.observation_space == one.observation_space
    less = Features(kind(**options)).observation_space
    ratios = (3 if pool else 1) * QUESTIONS * 4
    assert one.observation_space.shape == (less.shape[0] + ratios,)
    for envs in (one, other):
        envs.seed(4)
    shown = one.reset()
    assert data_equivalence(other.reset(), shown, exact=True)
    assert (shown[:, -ratios:] == 0.5).all()
    for action in ([0, 1], [1, 2], [0, 0]):
        shown, *_ = one.step(np.array(action))
        assert data_equivalence(other.step(np.array(action))[0], shown, exact=True)
        assert one.observation_space.contains(shown[0])
    told = set(shown[0, -ratios:].tolist())
    assert 0.5 in told and len(told) > 1, "who was asked about, and who was not"


@pytest.mark.parametrize("truncates", [False, True])
def test_many_at_once_are_the_same_as_one_by_one(
    env: GameEnv, truncates: bool, dummy: DummyTarget, small: Dataset
) -> None:
    pool, belief = isinstance(env, PoolEnv), BELIEF[type(env).__name__]
    options = {"target": dummy, "data": small, **(POOL if pool else GREY)}
    options |= {"max_steps": 2} if truncates else {}
    make, many = (PoolEnv, PoolVectorEnv) if pool else (SingleEnv, SingleVectorEnv)
    one = DummyVecEnv([lambda: FlatActions(Features(make(**options)), belief=belief)] * 3)
    other = FlatVecEnv(many(3, autoreset_mode="Disabled", **options), belief=belief)
    for envs in (one, other):
        envs.seed(4)
    assert data_equivalence(other.reset(), one.reset(), exact=True)
    assert data_equivalence(other.reset_infos, one.reset_infos, exact=True)
    rng, ends, cut = np.random.default_rng(0), 0, 0
    for _ in range(20):
        action = rng.integers(one.action_space.n, size=3)
        (*a, left), (*b, right) = other.step(action), one.step(action)
        assert data_equivalence(tuple(a), tuple(b), exact=True)
        assert data_equivalence(left, right, exact=True)
        assert data_equivalence(other.reset_infos, one.reset_infos, exact=True)
        ends += sum("terminal_observation" in info for info in left)
        cut += sum(info["TimeLimit.truncated"] for info in left)
    assert ends > 3 and (cut > 0 or not truncates)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda _: np.array([0.5, np.nan, 0.5]),
        lambda _: np.full(2, 0.5),
        lambda _: np.full(3, 1.5),
        lambda _: "members, all of them",
        lambda _: None,
    ],
    ids=["NaN", "shape", "range", "text", "nothing"],
)
def test_a_bad_belief_is_refused_before_anything_is_charged(
    wrong: Any, dummy: DummyTarget, small: Dataset
) -> None:
    env = FlatActions(PoolEnv(target=dummy, data=small, **POOL), belief=wrong)
    observation, _ = env.reset(seed=0)
    for action in (0, env.action_space.n - 1):
        with pytest.raises(ActionError, match=r"shape \(3,\) with probabilities from 0 to 1"):
            env.step(action)
    after, *_ = env.unwrapped.step(EMPTY)
    assert after["budget_left"] == observation["budget_left"] == 7


@pytest.mark.parametrize("action", [-1, 14, 1.0, None, "ask", [0], True])
def test_numbers_outside_the_space_are_refused(
    action: Any, dummy: DummyTarget, small: Dataset
) -> None:
    env = FlatActions(SingleEnv(target=dummy, data=small, **GREY))
    env.reset(seed=0)
    with pytest.raises(ActionError, match="from 0 to 13"):
        env.step(action)


def test_what_cannot_be_wrapped_is_refused(dummy: DummyTarget, small: Dataset) -> None:
    single = SingleEnv(target=dummy, data=small, **GREY)
    with pytest.raises(SettingsError, match="give belief="):
        FlatActions(PoolEnv(target=dummy, data=small, **POOL))
    with pytest.raises(SettingsError, match="the action itself says"):
        FlatActions(single, belief=half)
    with pytest.raises(SettingsError, match="2 or more levels"):
        FlatActions(single, levels=1)
    for wrapper in (FlatActions, Features):
        with pytest.raises(SettingsError, match="environment of miagym"):
            wrapper(gym.make("CartPole-v1"))
    for wrapper in (FlatActions, Features):
        with pytest.raises(SettingsError, match="the game's own"):
            wrapper(wrapper(single))
    envs = SingleVectorEnv(2, target=dummy, data=small, **GREY)
    with pytest.raises(SettingsError, match="autoreset_mode='Disabled'"):
        FlatVecEnv(envs)


@pytest.mark.slow
def test_without_stable_baselines_a_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['stable_baselines3'] = None; import miagym.envs.wrappers\n"
        "from miagym.errors import MiagymError\n"
        "try: import miagym.agents.stable_baselines\n"
        "except MiagymError as error: assert 'pip install \"miagym[agents]\"' in str(error)\n"
        "else: raise SystemExit('no error')"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
