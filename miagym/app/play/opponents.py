"""Agents that play the visitor's pictures with the visitor's budget."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

import numpy as np

from miagym.agents.agent import Agent
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.agents.never import NeverAsks
from miagym.app.play.playing import Playing, Said
from miagym.app.play.reference_scores import known_of
from miagym.app.play.setup import BUDGET, Table
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import rows_of, shared_data
from miagym.envs.settings import TRAIN
from miagym.envs.single import SingleVectorEnv
from miagym.envs.spaces import Observation

NEVER, BLIND, ONE = "Never asks", "Never asks, looks", "One question"
ABOUT = {
    NEVER: "says “I cannot tell” of everybody",
    BLIND: "judges by colours and words alone, learned from the known pictures",
    ONE: "spends everything on one question, and judges by the known pictures' answers",
}


class Rivals:
    """The agents at one visitor's table; each has an environment of its own, dealt alike."""

    def __init__(self, table: Table, seed: int, device: str) -> None:
        self._table, self._seed, self._device = table, seed, device
        self._envs = {name: _alone(table, device) for name in ABOUT}
        self._seen: dict[str, Observation] = {}
        self._lock = Lock()

    def catch_up(self, playing: Playing) -> None:
        """Lets all agents play the rounds that the visitor has ended."""
        with self._lock:
            for number, round_ in enumerate(playing.rounds, start=1):
                for name in ABOUT:
                    if name not in round_.said:
                        round_.said[name] = self._play(name, number, round_.key)

    def _play(self, name: str, number: int, key: str) -> Said:
        env, agent = self._envs[name], self._agent(name)
        while env.game.begun[0] < number:
            self._seen[name], _ = env.reset(seed=None if env.game.begun[0] else self._seed)
        hand = env.game.candidates[0]
        assert hand is not None and hand.keys == (key,), "agents are dealt what the visitor is"
        while not env.game.over[0]:
            action = agent.act(self._seen[name], np.random.default_rng(0))
            self._seen[name], *_ = env.step(action)
        spent = BUDGET - int(env.game.accounts.left[0])
        return Said(float(env.game.probability[0, 0]), spent)

    def _agent(self, name: str) -> Agent:
        if name == NEVER:
            return NeverAsks()
        if name == BLIND:
            return blind_agent(self._table.target, self._table.data, self._device)
        return one_question_agent(self._table, self._device)


def rival_rows(table: Table, price: int) -> int:
    """UNet rows that the agents compute in one round, if their one question has this price."""
    return BUDGET // price * price * table.models


@lru_cache(maxsize=4)
def blind_agent(target: str, data: str, device: str) -> BlindAgent:
    """Fitted on all of `train`."""
    count = len(rows_of(shared_data(data), TRAIN))
    envs = PoolVectorEnv(
        1, target=target, data=data, split=TRAIN, candidates=count, slots=1, device=device
    )
    return BlindAgent.fit(envs, episodes=1, seed=0)


@lru_cache(maxsize=8)
def one_question_agent(table: Table, device: str) -> FixedAgent:
    """Asks the table's favourite question until the budget is gone."""
    belief = known_of(table, device).belief(table.favourite)
    return FixedAgent(belief, _alone(table, device).game.prices, schedule=(table.favourite,))


def _alone(table: Table, device: str) -> SingleVectorEnv:
    """An environment as the visitor's, in the form that agents play."""
    return SingleVectorEnv(1, autoreset_mode="Disabled", **table.options(device))
