"""The meter of an episode: whatever is done, it is never overshot and never wrong."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks import make_attack
from miagym.data.dataset import Dataset
from miagym.envs import oracle_from_env
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.single import SingleEnv
from miagym.targets.dummy import DummyTarget

QUESTIONS = ["variation@0.2", "loss@100", "pia@60", "latent-gradient@100"]
PRICES = np.array([2, 1, 2, 3])


@settings(max_examples=25)
@given(draw=st.data())
def test_spending_is_the_sum_of_what_was_answered(
    draw: st.DataObject, dummy: DummyTarget, small: Dataset
) -> None:
    """Random steps, resets, autoresets and refused questions."""
    budget = draw.draw(st.integers(1, 12))
    envs = PoolVectorEnv(
        3, target=dummy, data=small, access="white", questions=QUESTIONS, steps=10, budget=budget,
        candidates=3, slots=2,
    )  # fmt: skip
    envs.reset(seed=draw.draw(st.integers(0, 99)))
    left, over, charged = np.full(3, budget), np.zeros(3, dtype=bool), 0
    for _ in range(draw.draw(st.integers(1, 6))):
        if draw.draw(st.integers(0, 9)) == 0:
            mask = np.array(draw.draw(st.lists(st.booleans(), min_size=3, max_size=3)))
            mask[0] |= not mask.any()
            observation, _ = envs.reset(options={"reset_mask": mask})
            left[mask], over[mask] = budget, False
        else:
            cells = st.lists(
                st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=6, max_size=6
            )
            cells = np.array(draw.draw(cells)).reshape(3, 2, 2)
            stop = np.array(draw.draw(st.lists(st.integers(0, 1), min_size=3, max_size=3)))
            action = {"candidate": cells[..., 0], "question": cells[..., 1], "stop": stop}
            action["probability"] = np.full((3, 3), 0.5)
            observation, _, terminated, truncated, _ = envs.step(action)
            for i in range(3):
                if over[i]:  # it was reset instead, for nothing
                    left[i] = budget
                    assert not observation["answered"][i].any()
                    continue
                for slot in range(2):
                    price = PRICES[cells[i, slot, 1]]
                    pays = cells[i, slot, 0] < 3 and not stop[i] and price <= left[i]
                    assert observation["answered"][i, slot] == pays
                    left[i] -= price * pays
                    charged += price * pays
            over = terminated | truncated
        assert (observation["budget_left"][:, 0] == left).all() and (left >= 0).all()
        affordable = (left[:, None] >= PRICES) & ~over[:, None]
        assert (observation["affordable"] == affordable).all()
    total = envs.game.questioner.oracles[0].meter.total()
    assert total.unet_rows + 2 * total.backward_rows == charged


def test_without_budget_the_verdict_is_still_to_give(dummy: DummyTarget, small: Dataset) -> None:
    env = SingleEnv(target=dummy, data=small, budget=4, questions=["variation@0.3"])
    env.reset(seed=0)
    ask = {"question": 0, "probability": 0.5, "stop": 0}
    observation, reward, *_ = env.step(ask)
    assert observation["budget_left"] == [1] and reward == pytest.approx(-0.1 * 3 / 4)
    assert observation["questions"].tolist() == [0] and observation["images"][0].any()
    before = observation
    observation, reward, terminated, truncated, info = env.step(ask)
    assert reward == pytest.approx(-0.01) and not terminated and not truncated
    assert observation["budget_left"] == [1] and info["action_mask"].tolist() == [0]
    for name in before:
        np.testing.assert_array_equal(before[name], observation[name])
    *_, terminated, truncated, info = env.step({**ask, "probability": 1.0, "stop": 1})
    assert terminated and not truncated and info["member"] in (0, 1)
    with pytest.raises(ResetNeeded):
        env.step(ask)


def test_the_verdict_is_paid_by_brier_s_score(dummy: DummyTarget, small: Dataset) -> None:
    env = PoolEnv(target=dummy, data=small, candidates=4, slots=1, budget=10)
    env.reset(seed=1)
    probability = np.array([0.0, 1.0, 0.5, 0.9])
    nobody = {"candidate": [4], "question": [0], "probability": probability, "stop": 1}
    _, reward, _, _, info = env.step(nobody)
    assert reward == pytest.approx(np.mean(1 - 4 * (probability - info["member"]) ** 2))


def test_an_episode_that_spins_is_cut_off_and_its_last_word_counts(
    dummy: DummyTarget, small: Dataset
) -> None:
    for split in ("train", "val"):
        env = PoolEnv(target=dummy, data=small, candidates=2, slots=1, budget=10, split=split,
                      max_steps=3)  # fmt: skip
        env.reset(seed=1)
        idle = {"candidate": [2], "question": [0], "probability": [0.5, 0.5], "stop": 0}
        assert [env.step(idle)[3] for _ in range(2)] == [False, False]
        _, reward, terminated, truncated, info = env.step({**idle, "probability": [1.0, 0.0]})
        assert truncated and not terminated
        if split == "train":
            assert reward == pytest.approx(np.mean(1 - 4 * ([1, 0] - info["member"]) ** 2))
    assert env.verdicts.probability.tolist() == [1.0, 0.0]


def test_gym_make_hands_the_limit_on(dummy: DummyTarget) -> None:
    """`max_episode_steps` is Gymnasium's own, and would cut off without a verdict."""
    env = gym.make("miagym/Single-v0", split="val", budget=9, max_steps=2)
    for seed in range(3):
        env.reset(seed=seed)
        ask = {"question": 0, "probability": 1.0, "stop": 0}
        assert [env.step(ask)[3] for _ in range(2)] == [False, True]
    assert len(env.unwrapped.verdicts) == 3  # pyright: ignore[reportAttributeAccessIssue]


def test_giving_up_counts_with_all_that_was_spent(dummy: DummyTarget, small: Dataset) -> None:
    """Who drops what leaves them in doubt, or asks and replays the seed, is graded on all of it."""
    for split, kept in (("test", 1), ("val", 1), ("train", 0)):
        menu = {"access": "grey", "questions": ["loss@100"]}
        env = SingleEnv(target=dummy, data=small, split=split, budget=9, **menu)
        env.reset(seed=3)
        env.reset(seed=3)
        assert not len(env.verdicts), "nothing was asked or said"
        for said in (0.7, 0.9):
            env.step({"question": 0, "probability": said, "stop": 0})
        assert env.verdicts.probability.tolist() == [0.9] * kept, "also while it runs"
        env.reset(seed=3)
        assert env.verdicts.probability.tolist() == [0.9] * kept
        assert env.verdicts.spent.tolist() == [2] * kept
        oracle = oracle_from_env(env)
        oracle.encode(oracle.candidates)
        make_attack("sima")(oracle, oracle.candidates)
        env.close()
        assert env.verdicts.spent.tolist() == [2, 1] * kept, "and when it is closed instead"
        env.reset()
        assert env.verdicts.spent.tolist() == [2, 1] * kept


def test_what_is_asked_beside_the_menu_has_its_price(dummy: DummyTarget, small: Dataset) -> None:
    env = SingleEnv(target=dummy, data=small, budget=10, access="grey", questions=["sima@60"])
    for beside in (False, True):
        env.reset(seed=1)
        if beside:
            oracle = oracle_from_env(env)
            make_attack("pia")(oracle, oracle.candidates)
        ask = {"question": 0, "probability": 0.5, "stop": 0}
        rewards = [env.step(ask)[1] for _ in range(2)]
        assert rewards == pytest.approx([-0.01 - 0.02 * beside, -0.01])


def test_repeated_questions_get_fresh_noise_and_means(dummy: DummyTarget, small: Dataset) -> None:
    env = SingleEnv(target=dummy, data=small, budget=9, questions=["variation@0.3"])
    env.reset(seed=0)
    ask = {"question": 0, "probability": 0.5, "stop": 0}
    for _ in range(3):
        observation, *_ = env.step(ask)
    values = observation["statistics"]
    assert len(np.unique(values[:, 1])) == 3
    expected = np.append(values[:, :3].mean(axis=0), values[-1, 3])
    np.testing.assert_allclose(observation["summary"][0], expected, rtol=1e-5)
    assert observation["count"].tolist() == [3]
    assert values[-1, 3] < values[:, 1].mean(), "a mean of answers strays less than each"


def test_a_reference_has_noise_of_its_own_where_a_service_would_not_tell(
    dummy: DummyTarget, small: Dataset
) -> None:
    other, seen = DummyTarget(small.candidates(np.arange(8), 64)), {}
    game = {"access": "grey", "budget": 9, "questions": ["variation@0.3", "loss@200"]}
    for noise in ("own", "shared"):
        env = SingleEnv(target=dummy, data=small, reference=other, reference_noise=noise, **game)
        env.reset(seed=0)
        for question in (0, 1):
            observation, *_ = env.step({"question": question, "probability": 0.5, "stop": 0})
        seen[noise] = observation["statistics"]
    own, shared = seen["own"], seen["shared"]
    np.testing.assert_array_equal(own[:, :4], shared[:, :4])
    np.testing.assert_array_equal(own[1], shared[1], "who noises the latents knows the noise")
    assert (own[0, 4:] != shared[0, 4:]).all()


def test_statistics_carry_no_more_than_the_picture(dummy: DummyTarget, small: Dataset) -> None:
    env = SingleEnv(target=dummy, data=small, budget=3, questions=["variation@0.3"])
    env.reset(seed=0)
    observation, *_ = env.step({"question": 0, "probability": 0.5, "stop": 0})
    d = observation["images"][0].astype(float) / 255 - observation["candidate"] / 255
    told = observation["statistics"][0, :3]
    means = [np.abs(d).mean(), (d**2).mean() ** (1 / 2), (d**4).mean() ** (1 / 4)]
    np.testing.assert_allclose(told, means, rtol=1e-5)
