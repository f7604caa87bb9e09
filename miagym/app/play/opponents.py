"""Agents that play the visitor's pictures with the visitor's budget."""

from __future__ import annotations

from functools import cached_property, lru_cache
from threading import Lock

import numpy as np

from miagym.agents.agent import Agent
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.agents.never import NeverAsks
from miagym.app.play.game import HumanGame
from miagym.app.play.reference_scores import reference_scores
from miagym.app.play.rounds import ABOUT, BLIND, NEVER, Guess
from miagym.app.play.setup import BUDGET, GameSetup
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import rows_of, shared_data
from miagym.envs.settings import TRAIN
from miagym.envs.single import SingleVectorEnv
from miagym.envs.spaces import Observation


class Opponents:
    """The agents beside one visitor; each has an environment of its own, dealt alike."""

    def __init__(self, setup: GameSetup, seed: int, device: str) -> None:
        self._setup, self._seed, self._device = setup, seed, device
        self._seen: dict[str, Observation] = {}
        self._lock = Lock()

    @cached_property
    def _envs(self) -> dict[str, SingleVectorEnv]:
        """Made when they first play: most games end before, and each holds a megabyte."""
        return {name: _alone(self._setup, self._device) for name in ABOUT}

    def catch_up(self, game: HumanGame) -> None:
        """Lets all agents play the rounds that the visitor has ended."""
        with self._lock:
            for number, round_ in enumerate(game.rounds, start=1):
                for name in ABOUT:
                    if name not in round_.guesses:
                        round_.guesses[name] = self._play(name, number, round_.key)

    def _play(self, name: str, number: int, key: str) -> Guess:
        env, agent = self._envs[name], self._agent(name)
        while env.game.begun[0] < number:
            self._seen[name], _ = env.reset(seed=None if env.game.begun[0] else self._seed)
        hand = env.game.candidates[0]
        assert hand is not None and hand.keys == (key,), "agents are dealt what the visitor is"
        while not env.game.over[0]:
            action = agent.act(self._seen[name], np.random.default_rng(0))
            self._seen[name], *_ = env.step(action)
        spent = BUDGET - int(env.game.accounts.left[0])
        return Guess(float(env.game.probability[0, 0]), spent)

    def _agent(self, name: str) -> Agent:
        if name == NEVER:
            return NeverAsks()
        if name == BLIND:
            return blind_agent(self._setup.target, self._setup.data, self._device)
        return one_question_agent(self._setup, self._device)


@lru_cache(maxsize=4)
def blind_agent(target: str, data: str, device: str) -> BlindAgent:
    """Fitted on all of `train`."""
    count = len(rows_of(shared_data(data), TRAIN))
    envs = PoolVectorEnv(
        1, target=target, data=data, split=TRAIN, candidates=count, slots=1, device=device
    )
    return BlindAgent.fit(envs, episodes=1, seed=0)


@lru_cache(maxsize=8)
def one_question_agent(setup: GameSetup, device: str) -> FixedAgent:
    """Asks the setup's favourite question until the budget is gone."""
    belief = reference_scores(setup, device).belief(setup.favourite)
    return FixedAgent(belief, _alone(setup, device).game.prices, schedule=(setup.favourite,))


def _alone(setup: GameSetup, device: str) -> SingleVectorEnv:
    """An environment as the visitor's, in the form that agents play."""
    return SingleVectorEnv(1, autoreset_mode="Disabled", **setup.options(device))
