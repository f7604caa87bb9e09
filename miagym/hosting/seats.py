"""Seats of a table: where each hand is played, in the game about its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dataset import TEST, Dataset
from miagym.envs.asking import Questioner
from miagym.envs.game import Game
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolSpaces, pool_settings
from miagym.envs.sampler import CandidateSplit
from miagym.envs.service.settings import ServiceOptions, ServiceSettings
from miagym.envs.service.spaces import ServiceSpaces
from miagym.envs.settings import Settings
from miagym.envs.spaces import GameSpaces
from miagym.envs.world import World
from miagym.hosting.answers import LedgerQuestioner
from miagym.hosting.dealing.deal import Deal
from miagym.hosting.dealing.secret import drawn, opaque_name
from miagym.hosting.records.ledger import Account, Ledger
from miagym.hosting.service.answers import LedgerService
from miagym.hosting.suite import HostedTask
from miagym.remote.pictures import as_png


class Seat:
    """Where a hand is played: one row of the game about its target.

    A hand begins when it is first looked at, so that a walk of many does not cost its first request
    all of them.

    Args:
        game: about the hand's target.
        row: of the game.
        deal: of the task in its phase.
        target: what the hand is about.
        walk: player, task, phase and the number of the walk.
        hand: its number.
        lock: of all seats of the walk.
    """

    def __init__(
        self, game: Game, row: int, deal: Deal, target: str, walk: str, hand: int, lock: Lock
    ) -> None:
        self.row, self._game, self._lock = row, game, lock
        self._deal, self._target, self._walk, self._hand = deal, target, walk, hand

    @property
    def game(self) -> Game:
        """The game, in which this hand has begun."""
        with self._lock:
            if not self._game.begun[self.row]:
                seed = drawn(self._deal.secret, "hand", self._walk, self._hand)
                self._game.begin(self.row, np.random.default_rng(seed), shuffle=False)
        return self._game

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Of its candidates (n), by which verdicts are graded."""
        dealt = self.game.dealt(self.row).keys
        return tuple(self._deal.key(self._target, key) for key in dealt)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of its candidates (n), opaque, by which players know them."""
        secret, walk = self._deal.secret, self._walk
        return tuple(opaque_name(secret, "candidate", walk, key) for key in self.keys)

    @property
    def is_over(self) -> bool:
        """Whether its verdict is given."""
        return bool(self._game.begun[self.row] and self._game.over[self.row])


class Decoded(CandidateSplit):
    """Candidates of a deck, decoded once for all tables."""

    def __init__(self, data: Dataset, size: int) -> None:
        super().__init__(data, TEST, size)
        shown = super().candidates(np.arange(len(self)))
        self._all = shown.with_images(shown.images)  # under keys that are digested once

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        return self._all[places]


@dataclass(frozen=True, eq=False)
class Deck:
    """Deck of a task in one phase, and the models that its hands are about, loaded."""

    deal: Deal
    worlds: dict[str, World]
    """By target."""
    _sent: dict[str, str] = field(default_factory=dict)
    """Pictures as they travel, by key."""

    @classmethod
    def of(cls, deal: Deal) -> Self:
        """Loads the models of a task.

        Raises:
            MiagymError: if the task makes no game.
        """
        task, data = deal.task, deal.data
        split = Decoded(data, settings_of(task, deal.targets[0], data).resolution)
        worlds = {target: World.load(settings_of(task, target, data)) for target in deal.targets}
        return cls(deal, {name: replace(one, split=split) for name, one in worlds.items()})

    @property
    def task(self) -> HostedTask:
        """What is played."""
        return self.deal.task

    @cached_property
    def settings(self) -> Settings:
        """Settings of the game about its first target, whose spaces are those of all."""
        return settings_of(self.task, self.deal.targets[0], self.deal.data)

    @cached_property
    def spaces(self) -> GameSpaces:
        """Spaces of the game, the same about each target."""
        if isinstance(self.settings, ServiceSettings):
            return ServiceSpaces(self.settings)
        return PoolSpaces(self.settings)

    def pictures(self, dealt: Candidates) -> list[str]:
        """Pictures as they travel, each encoded once for all tables."""
        for key, image in zip(dealt.keys, dealt.images, strict=True):
            if key not in self._sent:
                self._sent[key] = as_png(image)
        return [self._sent[key] for key in dealt.keys]

    @cached_property
    def table_bytes(self) -> int:
        """Of a table in memory: its pictures as they were dealt, and as the game shows them."""
        side = self.settings.resolution
        return 2 * self.task.hands * self.task.candidates * side * side * 3


def seats(deck: Deck, walk: str, ledger: Ledger) -> list[Seat]:
    """Seats of one walk, hand by hand: as many games as there are targets.

    Args:
        deck: of the task in its phase.
        walk: player, task, phase and the number of the walk; hands, names and noise are drawn from
            it and the ledger's secret.
        ledger: who keeps charges and answers.
    """
    deal, dealt = deck.deal, deck.deal.hands(walk)
    found, lock = dict[int, Seat](), Lock()
    for target in dict.fromkeys(hand.target for hand in dealt):
        own = [number for number, hand in enumerate(dealt) if hand.target == target]
        settings = settings_of(deck.task, target, deal.data, deal.noise(walk, target))
        game = deck.spaces.game_kind(settings, len(own))
        accounts = [Account(walk, hand) for hand in own]
        questioner = _questioner(settings, deck.worlds[target], accounts, ledger)
        game.host(deck.worlds[target], [dealt[hand] for hand in own], questioner)
        for row, hand in enumerate(own):
            found[hand] = Seat(game, row, deal, target, walk, hand, lock)
    return [found[hand] for hand in sorted(found)]


def settings_of(task: HostedTask, target: str, data: Dataset, noise_seed: int = 0) -> Settings:
    """Settings of the games about one target of a task.

    Raises:
        SettingsError, BudgetError, UnknownName: if the task makes no game.
    """
    options = {**game_options(task, target, data), "split": TEST, "noise_seed": noise_seed}
    if task.service:
        return ServiceSettings.given(cast(ServiceOptions, options))
    return pool_settings(cast(PoolOptions, options))


def game_options(task: HostedTask, target: str, data: Dataset) -> dict[str, Any]:
    """Options of the environment whose game a task is about one target, wherever it is played."""
    return {"target": target, "data": data, **rules_of(task)}


def rules_of(task: HostedTask) -> dict[str, Any]:
    """Options that are the same about all targets.

    Without the rate of a service's calls, which a host keeps for a key and all its hands.
    """
    if task.service:
        own = ("service", "jpeg", "answer_size", "tariff", "prompt_filter")
    else:
        own = ("reference", "questions", "defence", "candidates", "slots")
    rules = {name: getattr(task, name) for name in ("budget", "steps", *own)}
    return rules | {"pictures": task.slots} if task.service else rules


def _questioner(
    settings: Settings, world: World, accounts: Sequence[Account], ledger: Ledger
) -> Questioner:
    if isinstance(settings, ServiceSettings):
        return LedgerService(settings, world, accounts, ledger)
    return LedgerQuestioner(settings, world, accounts, ledger)
