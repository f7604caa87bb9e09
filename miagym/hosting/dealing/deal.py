"""Deal of a task in one phase: which targets, which pictures, whose hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.data.registry import load_data
from miagym.hosting.dealing.deck import deck
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.dealing.secret import drawn
from miagym.hosting.suite import HostedTask


@dataclass(frozen=True)
class Hand:
    """Hand of candidates about one target, as a sampler that deals it whenever it is asked."""

    target: str
    places: NDArray[np.int64]
    """In the test part of the data (n,)."""

    def sample(self) -> NDArray[np.int64]:
        return self.places


@dataclass(frozen=True, eq=False)
class Deal:
    """Deal of a task about a list of targets, of which every candidate has the same label."""

    task: HostedTask
    secret: str
    """Of the ledger; hands, names and noise are drawn from it."""
    targets: tuple[str, ...]
    """That hands are about."""
    data: Dataset
    """Its test part are the pictures."""
    digest: str
    """Of what decides the labels, whatever the phase."""

    @classmethod
    def of(cls, task: HostedTask, phase: str, secret: str) -> Self:
        """Deals a phase.

        Raises:
            HostError: if candidates are too few.
            DataError, SettingsError: if data, or a population, cannot be read.
        """
        data = load_data(task.data)
        return cls(task, secret, task.targets, deck(data, task, phase, secret), data.digest)

    def hands(self, walk: str) -> list[Hand]:
        """Hands of one walk; every candidate is in one of them.

        Each target has as many hands as the others, in an order nobody is told.
        """
        task = self.task
        rng = np.random.default_rng(drawn(self.secret, "hands", walk))
        order = rng.permutation(task.hands * task.candidates)
        rng = np.random.default_rng(drawn(self.secret, "targets", walk))
        about = rng.permutation(np.arange(task.hands) % len(self.targets))
        dealt = order.reshape(task.hands, task.candidates)
        return [Hand(self.targets[i], places) for i, places in zip(about, dealt, strict=True)]

    def noise(self, walk: str, target: str) -> int:
        """Seed of the noise with which a target answers in a walk: the same for all of a list."""
        return drawn(self.secret, "noise", walk)

    def key(self, target: str, candidate: str) -> str:
        """Key by which verdicts on a candidate are kept, as a hand about this target has it."""
        return candidate

    def labels(self, size: int) -> Labels:
        """Labels of all candidates, whose pictures have so many pixels a side."""
        return Labels.of(self.data, size)
