"""Agents: who chooses better wins more, and everybody repeats exactly under a seed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import data_equivalence
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecNormalize

from attacks import make_attack
from miagym.agents.adaptive import AdaptiveAgent
from miagym.agents.agent import Agent, PlayResult, episodes_of, play
from miagym.agents.attack import AttackAgent
from miagym.agents.belief import LogisticBelief
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.agents.learned import LearnedAgent
from miagym.agents.observations import ObservationBatch
from miagym.agents.random import RandomAgent
from miagym.agents.stable_baselines import FlatVecEnv, learned_agent
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.envs.grading.grade import grade
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.single import SingleVectorEnv
from miagym.envs.vector import GameVectorEnv
from miagym.errors import ActionError, BudgetExhausted, DataError, SettingsError, TooFewToLearn
from miagym.targets.dummy import DummyTarget

QUESTIONS = ["loss@60", "pia@200"]
PRICES = np.array([1, 2])


class Worlds:
    """Environments on the dummy's drawings."""

    def __init__(self, dummy: DummyTarget, small: Dataset) -> None:
        self.options = {"target": dummy, "data": small, "access": "grey", "questions": QUESTIONS}

    def pools(self, split: str = "train", budget: int = 8, **options: Any) -> PoolVectorEnv:
        given: dict[str, Any] = {"candidates": 4, "slots": 2} | self.options | options
        return PoolVectorEnv(3, split=split, budget=budget, **given)

    def singles(self, split: str = "train", budget: int = 2, **options: Any) -> SingleVectorEnv:
        return SingleVectorEnv(8, split=split, budget=budget, **self.options, **options)


@pytest.fixture(scope="session")
def worlds(dummy: DummyTarget, small: Dataset) -> Worlds:
    return Worlds(dummy, small)


@pytest.fixture(scope="session")
def belief(worlds: Worlds) -> LogisticBelief:
    return LogisticBelief.fit(worlds.pools(), episodes=3, seed=0)


@pytest.fixture(scope="session")
def trained(worlds: Worlds) -> tuple[PPO, VecNormalize, LearnedAgent]:
    """PPO after some hundred steps of single games about the dummy."""
    envs = worlds.singles(autoreset_mode="Disabled")
    scaled = VecNormalize(FlatVecEnv(envs), norm_reward=False, epsilon=1e-4)
    model = PPO("MlpPolicy", scaled, n_steps=32, batch_size=64, gamma=1.0, ent_coef=0.01,
                learning_rate=3e-3, seed=0, device="cpu")  # fmt: skip
    with torch.no_grad():  # begin by asking, as in docs/agents/train_ppo.py
        model.policy.action_net.bias[: len(PRICES)] += 5
    model.learn(1536)
    return model, scaled, learned_agent(model, envs.settings, scaled)


NAMES = ["random", "blind", "fixed", "adaptive", "learned", "attack"]


@pytest.fixture(params=NAMES)
def agent(
    request: pytest.FixtureRequest,
    worlds: Worlds,
    belief: LogisticBelief,
    trained: tuple[PPO, VecNormalize, LearnedAgent],
) -> Agent:
    match request.param:
        case "random":
            return RandomAgent(PRICES)
        case "blind":
            return BlindAgent.fit(worlds.pools(), episodes=3, seed=0)
        case "fixed":
            return FixedAgent(belief, PRICES, schedule=(0, 1))
        case "adaptive":
            return AdaptiveAgent(belief, PRICES)
        case "learned":
            return trained[2]
        case _:
            return AttackAgent.fit(make_attack("sima"), worlds.pools(), episodes=3, seed=0)


def played(agent: Agent, envs: GameVectorEnv) -> PlayResult:
    """A few episodes."""
    return play(agent.playing(envs) if isinstance(agent, AttackAgent) else agent, envs, 2, seed=3)


@pytest.mark.slow
def test_it_repeats_exactly_under_a_seed(agent: Agent, worlds: Worlds) -> None:
    one, other = (played(agent, worlds.pools("val")) for _ in range(2))
    np.testing.assert_array_equal(one.returns, other.returns)
    assert data_equivalence(*(list(map(dataclasses.astuple, p.verdicts)) for p in (one, other)))
    third = play(RandomAgent(PRICES), worlds.pools("val"), 2, seed=4)
    assert third.verdicts[0].candidate != one.verdicts[0].candidate


def test_it_plays_both_games_within_the_budget(agent: Agent, worlds: Worlds) -> None:
    """Nothing is refused: refused questions would be fined beside what was spent."""
    for envs in (worlds.pools(), worlds.singles()):
        budget, n = envs.settings.budget, envs.settings.candidates
        result = played(agent, envs)
        for verdicts, returns in zip(result.verdicts, result.returns, strict=True):
            assert 0 <= verdicts.spent.max() <= budget / n
            assert ((verdicts.probability >= 0) & (verdicts.probability <= 1)).all()
            assert len(verdicts) == 2 * n
            share = verdicts.spent.sum() / 2 / budget
            data = envs.settings.data
            assert isinstance(data, Dataset)
            label = labels(data, envs)
            y = np.array([label[key] for key in verdicts.candidate])
            reward = 1 - 4 * (verdicts.probability - y) ** 2
            assert returns.mean() == pytest.approx(reward.mean() - 0.1 * share, abs=1e-6)


def labels(data: Dataset, envs: GameVectorEnv) -> dict[str, bool]:
    candidates = data.candidates(np.arange(len(data)), envs.settings.resolution)
    return dict(zip(candidates.keys, map(bool, data.member), strict=True))


def test_who_asks_beats_who_does_not(worlds: Worlds, belief: LogisticBelief) -> None:
    """On a perfect memoriser; graded on candidates that nothing was learned from."""
    envs = worlds.pools("test", candidates=8, budget=16)
    agents = {
        "random": RandomAgent(PRICES),
        "blind": BlindAgent.fit(worlds.pools(), episodes=3, seed=0),
        "fixed": FixedAgent(belief, PRICES),
        "adaptive": AdaptiveAgent(belief, PRICES),
    }
    graded = {}
    for name, agent in agents.items():
        verdicts = play(agent, envs, 2, seed=0).verdicts[0]
        graded[name] = grade(verdicts, envs.settings.data)
    for name in ("fixed", "adaptive"):
        assert graded[name].accuracy > 0.9 > graded["random"].accuracy
        assert graded[name].brier_reward > max(
            0.5, graded["random"].brier_reward, graded["blind"].brier_reward
        )
    assert graded["blind"].spent == 0 < graded["adaptive"].spent <= graded["fixed"].spent


def earned(result: PlayResult, envs: GameVectorEnv) -> float:
    """What `val` would have paid an episode, if it paid at all."""
    assert not result.returns.any()
    data = envs.settings.data
    assert isinstance(data, Dataset)
    label, total = labels(data, envs), 0.0
    for verdicts in result.verdicts:
        y = np.array([label[key] for key in verdicts.candidate])
        share = verdicts.spent.sum() / len(y) * envs.settings.candidates / envs.settings.budget
        total += (1 - 4 * (verdicts.probability - y) ** 2).mean() - 0.1 * share
    return total / len(result.verdicts)


def test_on_test_nothing_is_paid_and_nothing_is_told(worlds: Worlds) -> None:
    envs = worlds.pools("test")
    assert not play(RandomAgent(PRICES), envs, 2, seed=0).returns.any()
    for learn in (LogisticBelief.fit, BlindAgent.fit):
        with pytest.raises(DataError, match="play on the split train"):
            learn(envs, episodes=1, seed=0)
    with pytest.raises(DataError, match="play on the split train"):
        AttackAgent.fit(make_attack("sima"), envs, episodes=1, seed=0)


def test_environments_are_repetitions_of_one_experiment(worlds: Worlds) -> None:
    """Each judges every candidate once, as long as they last."""
    envs = worlds.pools("test", candidates=10)
    for verdicts in play(RandomAgent(PRICES), envs, 4, seed=0).verdicts:
        assert len(set(verdicts.candidate)) == len(verdicts) == 40


def test_fixed_asks_everybody_in_turn(worlds: Worlds, belief: LogisticBelief) -> None:
    agent = FixedAgent(belief, PRICES, schedule=(0, 0, 1))
    for one in episodes_of(agent, worlds.pools(budget=13), episodes=2, seed=0):
        answers = [seen["count"].sum(axis=1) for seen in one.seen]
        assert all(np.ptp(so_far) <= 1 for so_far in answers)
        assert one.seen[-1]["count"].tolist() == [[2, 1], [2, 1], [2, 0], [2, 0]]
        assert one.spent == 12, "one row is left, and the next question costs two"


def test_adaptive_asks_whom_it_doubts(worlds: Worlds) -> None:
    """Under a belief that doubts the last candidate alone, nobody else is asked."""

    def belief(observation: dict[str, np.ndarray]) -> np.ndarray:
        believed = np.ones(observation["count"].shape[:2])
        believed[:, -1] = np.where(observation["count"][:, -1, 0] < 3, 0.4, 0.01)
        return believed

    agent = AdaptiveAgent(belief, PRICES, doubt=0.5)
    for one in episodes_of(agent, worlds.pools(), episodes=1, seed=0):
        assert one.seen[-1]["count"].tolist() == [[0, 0], [0, 0], [0, 0], [3, 0]]
        assert one.probability.tolist() == [1, 1, 1, 0.01]


def test_a_belief_begins_at_one_half_and_learns(worlds: Worlds, belief: LogisticBelief) -> None:
    observation, _ = worlds.pools("val").reset(seed=0)
    assert (belief(observation) == 0.5).all() and belief(observation).shape == (3, 4)
    agent = FixedAgent(belief, PRICES)
    for one in episodes_of(agent, worlds.pools(budget=16), episodes=2, seed=1):
        assert one.member is not None
        assert ((one.probability > 0.5) == one.member).mean() >= 0.75
        single = {"count": one.seen[-1]["count"][0], "summary": one.seen[-1]["summary"][0]}
        assert belief(single) == pytest.approx(one.probability[0])


@pytest.mark.parametrize("wrong", [np.full((3, 4), np.nan), np.full((3, 3), 0.5), "surely"])
def test_a_bad_belief_is_a_clear_error(wrong: Any, worlds: Worlds) -> None:
    for kind in (FixedAgent, AdaptiveAgent):
        envs = worlds.pools()
        with pytest.raises(ActionError, match=r"shape \(3, 4\) with probabilities from 0 to 1"):
            play(kind(lambda _: wrong, PRICES), envs, 1, seed=0)
        assert (envs.game.accounts.left == 8).all()


def test_ppo_learns_to_tell_members(
    worlds: Worlds, trained: tuple[PPO, VecNormalize, LearnedAgent], tmp_path: Path
) -> None:
    """Some hundred steps suffice on a perfect memoriser to earn more than who says one half."""
    agent = trained[2]
    envs = worlds.singles("val")
    assert earned(play(agent, envs, 4, seed=0), envs) > 0.2
    agent.save(tmp_path / "agent.safetensors")
    again = LearnedAgent.load(tmp_path / "agent.safetensors", envs.settings)
    one, other = (play(each, envs, 2, seed=1).verdicts for each in (agent, again))
    assert data_equivalence(*(list(map(dataclasses.astuple, each)) for each in (one, other)))


def test_the_agent_is_the_policy(
    worlds: Worlds, trained: tuple[PPO, VecNormalize, LearnedAgent]
) -> None:
    """Where its most likely number can be paid, the agent does it."""
    model, scaled, agent = trained
    envs = worlds.singles("val", autoreset_mode="Disabled")
    flat = FlatVecEnv(envs)
    flat.seed(0)
    shown = flat.reset()
    for _ in range(12):
        number, _ = model.predict(scaled.normalize_obs(shown), deterministic=True)
        observation = envs._spaces.observe(envs.game, np.arange(8))
        action = agent.act(observation, np.random.default_rng(0))
        stops = number >= len(PRICES)
        paid = PRICES[np.where(stops, 0, number)] <= envs.game.accounts.left
        assert (action["stop"] == stops)[paid | stops].all()
        assert np.allclose(action["probability"][stops], (number[stops] - len(PRICES)) / 10)
        assert (action["question"] == number)[paid & ~stops].all()
        shown, *_ = flat.step(number)


def test_an_agent_of_another_menu_is_refused(
    worlds: Worlds, trained: tuple[PPO, VecNormalize, LearnedAgent], tmp_path: Path
) -> None:
    trained[2].save(tmp_path / "agent.safetensors")
    other = gym.make("miagym/Single-v0", access="grey", questions=["loss@60"])
    with pytest.raises(DataError, match="another menu or access"):
        LearnedAgent.load(tmp_path / "agent.safetensors", other.unwrapped.settings)
    (tmp_path / "text").write_text("no weights")
    for path in (tmp_path / "text", tmp_path / "nowhere"):
        with pytest.raises(DataError, match="cannot be read as a learned agent"):
            LearnedAgent.load(path, worlds.singles().settings)


def test_an_attack_plays_as_far_as_the_budget_goes(worlds: Worlds) -> None:
    agent = AttackAgent.fit(make_attack("pia"), worlds.pools(), episodes=3, seed=0)
    envs = worlds.pools("val")
    assert earned(play(agent.playing(envs), envs, 2, seed=0), envs) > 0.3
    poor = worlds.pools("val", budget=4)
    with pytest.raises(BudgetExhausted, match="nothing was charged"):
        play(agent.playing(poor), poor, 1, seed=0)


def test_an_attack_that_learns_is_fitted_and_may_ask_nothing(
    worlds: Worlds, small: Dataset
) -> None:
    attack = dataclasses.replace(make_attack("blind-pixels"), trees=5)
    with pytest.raises(TooFewToLearn, match="play more episodes"):
        AttackAgent.fit(attack, worlds.pools(), episodes=1, seed=0)
    part = np.where(np.arange(len(small)) % 40 < 36, CALIBRATION, TEST)
    given = {"data": dataclasses.replace(small, part=part)}
    agent = AttackAgent.fit(attack, worlds.pools(candidates=16, **given), episodes=3, seed=0)
    envs = worlds.pools("val", candidates=16, **given)
    played = play(agent.playing(envs), envs, 1, seed=0)
    assert not any(verdicts.spent.any() for verdicts in played.verdicts)


def test_what_cannot_be_learned_or_played_is_refused(
    worlds: Worlds, belief: LogisticBelief
) -> None:
    for learn in (LogisticBelief.fit, BlindAgent.fit):
        with pytest.raises(TooFewToLearn, match="at least 5 members"):
            learn(PoolVectorEnv(1, **worlds.options, candidates=2, slots=2), episodes=1, seed=0)
    for schedule in ((), (2,), (0, -1)):
        with pytest.raises(SettingsError, match="questions from 0 to 1"):
            FixedAgent(belief, PRICES, schedule)
        with pytest.raises(SettingsError, match="questions from 0 to 1"):
            AdaptiveAgent(belief, PRICES, schedule)
    envs = worlds.pools(questions=["loss@60"])
    with pytest.raises(DataError, match="the same menu"):
        play(FixedAgent(belief, PRICES), envs, 1, seed=0)


@pytest.mark.long
@pytest.mark.slow
def test_the_training_script_runs(tmp_path: Path) -> None:
    script = Path(__file__).parents[3] / "docs" / "agents" / "train_ppo.py"
    given = ["--envs", "4", "--rollout", "8", "--steps", "64", "--budget", "1"]
    out = tmp_path / "agent.safetensors"
    done = subprocess.run(
        [sys.executable, script, *given, "--out", out], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert f"written to {out}" in done.stdout
    options = {"access": "grey", "questions": ["loss@60", "loss@200"], "budget": 1}
    envs = SingleVectorEnv(2, split="val", **options)
    assert play(LearnedAgent.load(out, envs.settings), envs, 2, seed=0).returns.shape == (2, 2)


def test_environments_that_reset_themselves_are_refused(worlds: Worlds) -> None:
    with pytest.raises(SettingsError, match="another autoreset_mode"):
        play(RandomAgent(PRICES), worlds.pools(autoreset_mode="SameStep"), 1, seed=0)
    with pytest.raises(SettingsError, match="vector environments of miagym"):
        play(RandomAgent(PRICES), gym.make_vec("CartPole-v1"), 1, seed=0)


def test_random_does_everything_it_can_pay(worlds: Worlds) -> None:
    agent = RandomAgent(PRICES)
    observation, _ = worlds.pools().reset(seed=0)
    rng = np.random.default_rng(0)
    actions = [agent.act(observation, rng) for _ in range(300)]
    stopped = np.array([action["stop"] for action in actions])
    assert 0.05 < stopped.mean() < 0.15
    asked = np.array([action["candidate"] for action in actions])
    assert set(asked.ravel()) == set(range(5))
    assert ObservationBatch.of(observation).slots == 2


@pytest.mark.slow
def test_on_the_embedded_target_answers_help(tmp_path: Path) -> None:
    options = {"access": "grey", "questions": ["loss@60"], "candidates": 16, "slots": 16}
    train = PoolVectorEnv(2, split="train", budget=32, **options)
    belief = LogisticBelief.fit(train, episodes=4, seed=0)
    envs = PoolVectorEnv(1, split="val", budget=32, **options)
    agent = FixedAgent(belief, np.array([1]))
    assert grade(play(agent, envs, 3, seed=0).verdicts[0]).net_reward > 0.1
