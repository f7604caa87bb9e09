"""One walk of an agent through a task's deck, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from miagym.agents.agent import Agent, episodes_of
from miagym.data.dataset import Dataset
from miagym.data.registry import load_data
from miagym.envs.asking import Questioner
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import CandidateSplit, Sampler
from miagym.envs.service.asking import ServiceQuestioner
from miagym.envs.service.env import ServiceVectorEnv
from miagym.envs.service.settings import ServiceSettings
from miagym.envs.settings import TEST, TRAIN, Settings
from miagym.envs.vector import GameVectorEnv
from miagym.envs.world import World
from miagym.errors import SettingsError
from miagym.hosting.bench.agents import Maker
from miagym.hosting.dealing.deal import Hand
from miagym.hosting.dealing.phase import deal_phase
from miagym.hosting.seats import game_options, rules_of
from miagym.hosting.suite import DEV, HostedTask

SECRET = "2026" * 16
"""Of the deal: public here, as the labels are, so that everybody meets the same candidates."""
ROWS, SERVICE_ROWS, POPULATION_ROWS = 4, 16, 8
"""Environments of `train` for each target: of a pool, of a service with one candidate each; and
for all of a population."""


@runtime_checkable
class Calling(Protocol):
    """Agent that is told where it plays, as captions are texts that no observation holds."""

    def playing(self, envs: GameVectorEnv) -> Agent:
        """The same agent in other environments."""
        ...


@dataclass(frozen=True)
class Walk:
    """What an agent said of each candidate, by key, and what it spent."""

    scores: dict[str, float]
    spent: int


class HandSplit(CandidateSplit):
    """Candidates of a deck, dealt hand by hand in an order that is given."""

    def __init__(self, data: Dataset, size: int, dealt: Sequence[Hand]) -> None:
        super().__init__(data, TEST, size)
        self._hands = iter(dealt)

    def sampler(self, n: int, rng: np.random.Generator) -> Sampler:
        """The next hand, whatever the generator is."""
        return next(self._hands)


class Bench:
    """A task of a suite, dealt as everybody gets it.

    Args:
        task: which.
        most: hands that are played of a walk; all by default.

    Raises:
        SettingsError: if that is no number of hands.
    """

    def __init__(self, task: HostedTask, most: int | None = None) -> None:
        if most is not None and not 1 <= most <= task.hands:
            raise SettingsError(
                f"Expected from 1 to {task.hands} hands of {task.name}, got {most}."
            )
        self.task = task
        self.deal = deal_phase(task, DEV, SECRET)
        self.hands: dict[str, list[Hand]] = {}
        for hand in self.deal.hands(task.name)[:most]:
            self.hands.setdefault(hand.target, []).append(hand)

    def train(self) -> list[GameVectorEnv]:
        """Environments to learn in: one for each target of a list, or for all of a population."""
        task = self.task
        if task.population:
            options = {**rules_of(task), "family": task.population, "split": TRAIN}
            return [PoolVectorEnv(POPULATION_ROWS, **options)]
        rows = SERVICE_ROWS if task.service else ROWS
        return [self._envs(rows, target, TRAIN, load_data(task.data)) for target in task.targets]

    def walk(self, maker: Maker, seed: int = 0) -> Walk:
        """Lets an agent learn on `train`, and judge each candidate of the deck once.

        Raises:
            SettingsError: if what is made is no agent.
        """
        agent = maker(self.train())
        if not callable(getattr(agent, "act", None)):
            raise SettingsError(
                f"Expected an agent with act(observation, rng) from {maker!r}, got {agent!r}."
            )
        scores, spent = dict[str, float](), 0
        for target, dealt in self.hands.items():
            found, cost = self._about(agent, target, dealt, seed)
            scores |= found
            spent += cost
        return Walk(scores, spent)

    def _about(
        self, agent: Agent, target: str, dealt: Sequence[Hand], seed: int
    ) -> tuple[dict[str, float], int]:
        data = self.deal.data
        envs = self._envs(len(dealt), target, TEST, data)
        world = World.load(envs.settings)
        world = replace(world, split=HandSplit(data, envs.settings.resolution, dealt))
        envs.game.host(world, dealt, _questioner(envs.settings, world, len(dealt)))
        if isinstance(agent, Calling):
            agent = agent.playing(envs)
        scores: dict[str, float] = {}
        spent = 0
        for one in episodes_of(agent, envs, 1, seed):
            keys = [self.deal.key(target, key) for key in one.keys]
            scores |= dict(zip(keys, one.probability.tolist(), strict=True))
            spent += one.spent
        return scores, spent

    def _envs(self, rows: int, target: str, split: str, data: Dataset) -> GameVectorEnv:
        kind = ServiceVectorEnv if self.task.service else PoolVectorEnv
        options = game_options(self.task, target, data)
        if self.task.population:  # each model answers under noise of its own, as at a host
            options["noise_seed"] = self.deal.noise(self.task.name, target)
        return kind(rows, autoreset_mode="Disabled", split=split, **options)


def _questioner(settings: Settings, world: World, episodes: int) -> Questioner:
    if isinstance(settings, ServiceSettings):
        return ServiceQuestioner(settings, world, episodes)
    return Questioner(settings, world, episodes)
