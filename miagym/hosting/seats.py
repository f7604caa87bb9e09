"""Seats of a table: where each hand is played, in the game about its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
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
from miagym.hosting.dealing import drawn, hands, opaque_name, targets_of
from miagym.hosting.records.ledger import Account, Ledger
from miagym.hosting.service.answers import LedgerService
from miagym.hosting.suite import HostedTask
from miagym.remote.pictures import as_png


@dataclass(frozen=True)
class Seat:
    """Where a hand is played: one row of the game about its target."""

    game: Game
    row: int
    names: tuple[str, ...]
    """Of its candidates (n), opaque."""

    @property
    def is_over(self) -> bool:
        return bool(self.game.over[self.row])


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

    task: HostedTask
    data: Dataset
    worlds: dict[str, World]
    """By target."""
    _sent: dict[str, str] = field(default_factory=dict)
    """Pictures as they travel, by key."""

    @classmethod
    def of(cls, task: HostedTask, data: Dataset) -> Self:
        """Loads the models of a task.

        Raises:
            MiagymError: if the task makes no game.
        """
        split = Decoded(data, settings_of(task, task.targets[0], data).resolution)
        worlds = {target: World.load(settings_of(task, target, data)) for target in task.targets}
        return cls(task, data, {name: replace(one, split=split) for name, one in worlds.items()})

    @cached_property
    def spaces(self) -> GameSpaces:
        """Spaces of the game, the same about each target."""
        settings = settings_of(self.task, self.task.targets[0], self.data)
        if isinstance(settings, ServiceSettings):
            return ServiceSpaces(settings)
        return PoolSpaces(settings)

    def pictures(self, dealt: Candidates) -> list[str]:
        """Pictures as they travel, each encoded once for all tables."""
        for key, image in zip(dealt.keys, dealt.images, strict=True):
            if key not in self._sent:
                self._sent[key] = as_png(image)
        return [self._sent[key] for key in dealt.keys]

    @cached_property
    def table_bytes(self) -> int:
        """Of a table in memory: its pictures as they were dealt, and as the game shows them."""
        side = settings_of(self.task, self.task.targets[0], self.data).resolution
        return 2 * self.task.hands * self.task.candidates * side * side * 3


def seats(deck: Deck, walk: str, ledger: Ledger) -> list[Seat]:
    """Seats of one walk, hand by hand: as many games as there are targets.

    Args:
        deck: of the task in its phase.
        walk: player, task, phase and the number of the walk; candidates, targets, names and noise
            are drawn from it and the ledger's secret.
        ledger: who keeps charges and answers.
    """
    secret, task = ledger.secret, deck.task
    about, dealt = targets_of(task, secret, walk), hands(task, secret, walk)
    found: dict[int, Seat] = {}
    for target in dict.fromkeys(about):
        own = [hand for hand, name in enumerate(about) if name == target]
        noise = drawn(secret, "noise", walk)
        settings = settings_of(task, target, deck.data, noise)
        game = deck.spaces.game_kind(settings, len(own))
        accounts = [Account(walk, hand) for hand in own]
        questioner = _questioner(settings, deck.worlds[target], accounts, ledger)
        game.host(deck.worlds[target], [dealt[hand] for hand in own], questioner)
        for row, hand in enumerate(own):
            rng = np.random.default_rng(drawn(secret, "hand", walk, hand))
            game.begin(row, rng, shuffle=False)
            keys = game.dealt(row).keys
            names = tuple(opaque_name(secret, "candidate", walk, key) for key in keys)
            found[hand] = Seat(game, row, names)
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
    """Options of the environment whose game a task is, wherever it is played.

    Without the rate of a service's calls, which a host keeps for a key and all its hands.
    """
    both = {"target": target, "data": data, "budget": task.budget, "steps": task.steps}
    if task.service:
        return {
            **both,
            "pictures": task.slots,
            "service": task.service,
            "jpeg": task.jpeg,
            "answer_size": task.answer_size,
            "tariff": task.tariff,
            "prompt_filter": task.prompt_filter,
        }
    return {
        **both,
        "reference": task.reference,
        "questions": task.questions,
        "defence": task.defence,
        "candidates": task.candidates,
        "slots": task.slots,
    }


def _questioner(
    settings: Settings, world: World, accounts: Sequence[Account], ledger: Ledger
) -> Questioner:
    if isinstance(settings, ServiceSettings):
        return LedgerService(settings, world, accounts, ledger)
    return LedgerQuestioner(settings, world, accounts, ledger)
