"""Wrappers around a hosted task: those of Gymnasium and ours, as around the game in the process."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as check_env_of_stable_baselines
from stable_baselines3.common.vec_env import DummyVecEnv

from miagym.agents.never import NeverAsks
from miagym.agents.random import RandomAgent
from miagym.agents.recording import record
from miagym.agents.stable_baselines import FlatVecEnv
from miagym.envs.service.wrapper import NamedCalls
from miagym.envs.wrappers import Features, FlatActions
from miagym.envs.wrappers.maps import feature_space, features, log_ratios
from miagym.errors import HostError, SettingsError
from miagym.remote.env import RemoteEnv
from tests.hosting.conftest import Enter
from tests.hosting.serving import Hosted

HOLD = {"candidate": [4, 4], "question": [0, 0], "probability": [0.5] * 4, "stop": 0}
VERDICT = 4
"""Flat number of the verdict, behind one question about each of four."""


def ratio(seen: dict[str, Any]) -> np.ndarray:
    """Near certain of whom the target draws closer than the public model does."""
    ours, public = seen["summary"][:, 0, 1], seen["summary"][:, 0, 5]
    return np.where(seen["count"][:, 0] > 0, np.where(ours < public, 0.9, 0.1), 0.5)


def flat(env: gym.Env[Any, Any]) -> FlatActions:
    return FlatActions(Features(env), belief=ratio)


def test_checkers_are_content_with_all_wrappers_around(hosted: Hosted) -> None:
    made = gym.make(
        "miagym/Remote-v0", url=hosted.address, key=hosted.key("stack"), disable_env_checker=True
    )
    env = flat(RecordEpisodeStatistics(TimeLimit(made, 20)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")
        check_env(env, skip_render_check=True)
        check_env_of_stable_baselines(env)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert again.action_space == env.action_space
    for one in (env, again):
        one.close()


def test_flat_numbers_and_features_are_those_of_the_game(hosted: Hosted, enter: Enter) -> None:
    env = flat(enter(hosted.key("flat")))
    shown, info = env.reset()
    seat = hosted.host.table("flat", "small").seats[0]
    game = seat.game

    def inside() -> np.ndarray:
        row = [seat.row]
        parts = {"summary": game.summary, "count": game.count}
        seen = {name: value[row] for name, value in parts.items()}
        seen["affordable"] = game.affordable(np.array(row))
        seen["budget_left"] = game.accounts.left[row, None]
        return features(seen, game.settings)[0]

    assert env.observation_space == feature_space(game.settings)
    assert env.action_space == gym.spaces.Discrete(VERDICT + 1)
    assert data_equivalence(shown, inside(), exact=True) and info["action_mask"].all()
    for whom in (2, 0, 2):
        shown, *_, info = env.step(whom)
        assert data_equivalence(shown, inside(), exact=True)
    assert game.count[seat.row, :, 0].tolist() == [1, 0, 2, 0]
    assert info["action_mask"].tolist() == [0] * 4 + [1] == env.action_masks().tolist()
    *_, terminated, truncated, _ = env.step(VERDICT)
    assert terminated and not truncated
    assert set(game.probability[seat.row, [0, 2]]) <= {0.9, 0.1}
    assert game.probability[seat.row, [1, 3]].tolist() == [0.5, 0.5]


def test_a_time_limit_cuts_off_and_the_last_word_counts(hosted: Hosted, enter: Enter) -> None:
    env = RecordEpisodeStatistics(TimeLimit(enter(hosted.key("hurried")), 2))
    for hand in range(3):
        env.reset()
        env.step(HOLD | {"candidate": [0, 4]})
        *_, truncated, info = env.step(HOLD | {"probability": [0.7, 0.1, 0.2, 0.3]})
        assert truncated and (info["episode"]["l"], info["episode"]["r"]) == (2, 0), hand
    env.reset()  # gives the third hand up, and so ends the walk
    (found,) = [one for one in hosted.host.desk("small").all() if one.player == "hurried"]
    assert sorted(set(found.scores.values())) == [0.1, 0.2, 0.3, 0.7] and found.spent == 9


def test_stable_baselines_plays_what_it_learns_on(hosted: Hosted) -> None:
    """A policy with no idea, on three keys side by side, through the wrappers."""

    def env(name: str) -> Any:
        key = hosted.key(name)
        return lambda: flat(RemoteEnv(hosted.address, key, "small"))

    envs = DummyVecEnv([env(f"learner-{i}") for i in range(3)])
    model = PPO("MlpPolicy", envs, n_steps=8, batch_size=24, seed=0, device="cpu")
    seen = envs.reset()
    for _ in range(6):
        action, _ = model.predict(seen)
        seen, reward, *_ = envs.step(action)
        assert not reward.any() and envs.observation_space.contains(seen[0])
    envs.close()


def test_ppo_learns_with_log_ratios_over_the_wire(hosted: Hosted) -> None:
    """On two keys: it sees the game's own ratios, and every row that it spends is in the ledger."""
    names = ["ratios-0", "ratios-1"]
    keys = [hosted.key(name) for name in names]

    def env(key: str) -> Any:
        bare = RemoteEnv(hosted.address, key, "small")
        return lambda: FlatActions(Features(bare, ratios=True), belief=ratio)

    envs = DummyVecEnv([env(key) for key in keys])
    model = PPO("MlpPolicy", envs, n_steps=4, batch_size=8, n_epochs=1, seed=0, device="cpu")
    before = [weight.clone() for weight in model.policy.parameters()]
    model.learn(8)
    after = list(model.policy.parameters())
    assert any(not old.equal(new) for old, new in zip(before, after, strict=True))
    shown = envs.step(np.array([0, 1]))[0]
    for name, seen in zip(names, shown, strict=True):
        table = hosted.host.table(name, "small")
        seat = table.seats[table.current]
        own = log_ratios(seat.game.summary[seat.row])
        assert np.array_equal(seen[-own.size :], own.ravel()) and (own != 0.5).any()
        assert hosted.ledger.spent_on(f"{name}/small/dev") > 0
    envs.close()


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
@pytest.mark.slow
def test_agents_play_environments_side_by_side_with_a_key_each(
    mode: AutoresetMode, hosted: Hosted
) -> None:
    names = [f"side-{mode.value.lower()}-{i}" for i in range(2)]
    keys = [hosted.key(name) for name in names]
    envs = SyncVectorEnv(
        [lambda key=key: RemoteEnv(hosted.address, key, "small") for key in keys],
        autoreset_mode=mode,
    )
    seen, info = envs.reset()
    agent, rng = RandomAgent(np.array([3]), stops=0), np.random.default_rng(0)
    for _ in range(2):
        seen, *_ = envs.step(agent.act(seen, rng))
    assert seen["budget_left"].max() <= 3 and len(info["captions"]) == 2
    ended = envs.step(NeverAsks().act(seen, rng))
    assert ended[2].all()
    rows = [hosted.host.table(name, "small").seats[0] for name in names]
    for i, seat in enumerate(rows):
        assert np.array_equal(seen["count"][i], seat.game.count[seat.row])
    if mode == AutoresetMode.NEXT_STEP:
        seen, *_ = envs.step(NeverAsks().act(seen, rng))  # which begins the next hand
    else:
        seen, _ = envs.reset(options={"reset_mask": np.array([True, True])})
    assert (seen["budget_left"] == 9).all()
    envs.close()


def test_two_environments_on_one_key_are_told_apart(hosted: Hosted, enter: Enter) -> None:
    """Else both would play one hand, and each would see the other's answers as its own."""
    key = hosted.key("shared")
    one, other = enter(key), enter(key)
    one.reset()
    other.reset()  # nothing was asked: the same hand
    with pytest.raises(HostError, match="a key plays one at a time"):
        one.step(HOLD | {"candidate": [0, 1]})
    assert hosted.ledger.spent_on("shared/small/dev") == 0
    seen, *_ = other.step(HOLD | {"candidate": [0, 1]})
    assert seen["answered"].all()
    one.reset()
    with pytest.raises(HostError, match="give each environment a key of its own"):
        other.step(HOLD)
    for _ in range(2):  # the last of these ends the walk, and the next one begins with hand 0 again
        one.step(HOLD | {"stop": 1})
        one.reset()
    assert one.hand == 0
    with pytest.raises(HostError, match="one at a time"):
        other.step(HOLD)


def test_what_a_hosted_game_cannot_be_is_a_sentence(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("refused"))
    env.reset()
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(SettingsError, match="its hand is at the host"):
            copied(env)
    with pytest.raises(SettingsError, match="whose rewards are told"):
        record(NeverAsks(), env, "miagym/hosted-v0", episodes=1, seed=0)
    with pytest.raises(SettingsError, match=r"NamedCalls wraps miagym/Service-v0"):
        NamedCalls(env)
    with pytest.raises(SettingsError, match="give belief="):
        FlatActions(env)
    with pytest.raises(SettingsError, match="Expected vector environments of miagym"):
        FlatVecEnv(SyncVectorEnv([lambda: env]))


def test_the_wrappers_need_no_torch(hosted: Hosted) -> None:
    program = f"""
import sys
sys.modules["torch"] = None
import miagym
from miagym.envs.wrappers import Features, FlatActions
env = miagym.RemoteEnv({hosted.address!r}, {hosted.key("bare")!r}, "small")
flat = FlatActions(Features(env), belief=lambda seen: [.5] * 4)
flat.reset()
print(flat.step(1)[0].shape, flat.step(4)[2])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "(38,) True\n", done.stderr
