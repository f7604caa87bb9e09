"""A hosted task played as a Gymnasium environment, over a real connection."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence

from miagym.envs.pool import PoolSpaces
from miagym.errors import ActionError, HostError, SettingsError
from tests.hosting.conftest import Enter
from tests.hosting.serving import Hosted

HOLD = {"candidate": [4, 4], "question": [0, 0], "probability": [0.5] * 4, "stop": 0}


def ask(*whom: int) -> dict[str, Any]:
    return HOLD | {"candidate": [*whom, 4][:2]}


def test_gymnasium_s_checker_is_content(hosted: Hosted) -> None:
    env = gym.make("miagym/Remote-v0", url=hosted.address, key=hosted.key("checked"))
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_its_spaces_are_those_of_the_pool(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("spaces"))
    pool = PoolSpaces(hosted.host.deck("small").settings)
    assert env.observation_space == pool.observation_space
    assert env.action_space == pool.action_space


def test_it_plays_as_the_game_in_the_process(hosted: Hosted, enter: Enter) -> None:
    """The same hand on both sides of the wire: every observation is equal to the bit."""
    env = enter(hosted.key("same"))
    shown, info = env.reset()
    seat = hosted.host.table("same", "small").seats[0]
    pool = PoolSpaces(seat.game.settings)

    def inside() -> dict[str, Any]:
        batch = pool.observe(seat.game, np.array([seat.row]))
        return {name: value[0] for name, value in batch.items()}

    assert data_equivalence(shown, inside()) and info["captions"] == seat.game.dealt(0).captions
    for action in (ask(0, 1), ask(2), ask(0)):
        shown, reward, terminated, truncated, _ = env.step(action)
        assert data_equivalence(shown, inside()) and reward == 0
        assert env.observation_space.contains(shown) and not terminated and not truncated
    assert shown["count"].sum() == 3 and shown["budget_left"] == [0], "the fourth was not paid"
    *_, terminated, _, _ = env.step(HOLD | {"stop": 1, "probability": [0.9, 0.1, 0.5, 0.5]})
    assert terminated
    with pytest.raises(ResetNeeded):
        env.step(HOLD)


def test_no_reset_and_no_connection_renews_a_budget(hosted: Hosted, enter: Enter) -> None:
    key = hosted.key("again")
    env = enter(key)
    first, _ = env.reset(seed=7)
    env.step(ask(0))
    other = enter(key)
    shown, _ = other.reset(seed=7)
    assert not np.array_equal(shown["candidates"], first["candidates"]), "given up, with its row"
    assert hosted.ledger.spent_on("again/small/dev") == 3
    assert other.reset()[0]["budget_left"] == [9], "nothing was asked: the same hand"
    for _ in range(2):
        other.step(HOLD | {"stop": 1})
        other.reset()  # the last of these begins the second walk
    for _ in range(2):
        other.step(HOLD | {"stop": 1})
        other.reset()
    other.step(ask(1))  # the last hand of the last walk, given up instead of ended
    with pytest.raises(HostError, match="All 2 walks"):
        other.reset()


def test_bad_actions_are_a_sentence_and_cost_nothing(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("bad"))
    env.reset()
    for wrong in (ask(9), HOLD | {"probability": [2.0] * 4}, {"stop": 1}, HOLD | {"stop": "x"},
                  HOLD | {"probability": [float("nan")] * 4}, "ask"):  # fmt: skip
        with pytest.raises(ActionError, match="Expected"):
            env.step(wrong)  # type: ignore[arg-type]
    assert hosted.ledger.spent_on("bad/small/dev") == 0
    env.step(ask(0, 1))
    with pytest.raises(SettingsError):
        env.reset(options={"hand": 2})
    with pytest.raises(HostError, match="no such task"):
        enter("", "large")
    with pytest.raises(HostError, match="key in the header"):
        enter("").reset()
    with pytest.raises(HostError, match="key is unknown"):
        enter("guessed").reset()


def test_it_needs_neither_torch_nor_the_package_s_models(hosted: Hosted) -> None:
    """A whole walk in a process that could not load torch if it tried."""
    program = f"""
import sys
sys.modules["torch"] = sys.modules["diffusers"] = sys.modules["transformers"] = None
import miagym
env = miagym.RemoteEnv({hosted.address!r}, {hosted.key("light")!r}, "small")
for hand in range(3):
    seen, info = env.reset()
    n = len(info["captions"])
    for i in range(n):
        action = {{"candidate": [i, n], "question": [0, 0], "probability": [.5] * n, "stop": 0}}
        seen, *_ = env.step(action)
    said = (seen["summary"][:, 0, 1] < seen["summary"][:, 0, 5]).astype(float) * .8 + .1
    env.step(action | {{"candidate": [n, n], "probability": said, "stop": 1}})
print("played")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "played\n", done.stderr
    (one,) = [s for s in hosted.host.desk("small").all() if s.player == "light"]
    assert (
        one.kind == "play" and len(one.scores) == 12 and set(one.scores.values()) <= {0.1, 0.9, 0.5}
    )
    assert one.spent == 27
