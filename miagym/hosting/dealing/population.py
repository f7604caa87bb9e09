"""Deal of a task about a population, each model of which was trained on pictures of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import CALIBRATION, TEST
from miagym.envs.family.family import Family
from miagym.envs.family.keys import key_of
from miagym.envs.family.split import FamilySplit
from miagym.errors import HostError
from miagym.hosting.dealing.deal import Deal, Hand
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.dealing.secret import drawn
from miagym.hosting.suite import DEV, FINAL, HostedTask
from miagym.targets.registry import target_resolution

SPLITS = {DEV: "val", FINAL: "test"}
"""Of the family: phases share neither models nor pictures, and agents learn on `train`."""


@dataclass(frozen=True, eq=False)
class PopulationDeal(Deal):
    """Deal of a task about models of a population, which share their pictures, not the labels.

    All players are asked about the same pairs of model and picture.
    """

    split: FamilySplit
    pictures: tuple[NDArray[np.int64], ...]
    """Places of the pictures that each model is asked about."""

    @classmethod
    def of(cls, task: HostedTask, phase: str, secret: str) -> Self:
        """Deals a phase.

        Raises:
            HostError: if models have too few pictures for so many hands.
            DataError, SettingsError: if the population is none.
        """
        family = Family.of(task.population)
        split = FamilySplit(family, SPLITS[phase], target_resolution(family.targets[0]))
        rng = np.random.default_rng(drawn(secret, "deck", task.name, phase))
        order = rng.permutation(len(split.models))
        hands = np.bincount(order[np.arange(task.hands) % len(order)], minlength=len(order))
        need = int(hands.max()) * task.candidates
        if need > len(split):
            most = len(order) * (len(split) // task.candidates)
            raise HostError(
                f"{task.hands} hands of {task.candidates} about {len(order)} models need {need} "
                f"pictures in each phase; {task.population} has {len(split)}: ask for at most "
                f"{most} hands, or train a population on more pictures."
            )
        data = family.dataset()
        part = np.full(len(data), CALIBRATION, dtype=data.part.dtype)
        part[split.pictures] = TEST
        return cls(
            task,
            secret,
            tuple(family.targets[model] for model in split.models),
            replace(data, part=part),
            family.fingerprint,
            split,
            tuple(rng.permutation(len(split))[: n * task.candidates] for n in hands),
        )

    def hands(self, walk: str) -> list[Hand]:
        rng = np.random.default_rng(drawn(self.secret, "hands", walk))
        dealt = [
            Hand(target, places)
            for target, own in zip(self.targets, self.pictures, strict=True)
            for places in rng.permutation(own).reshape(-1, self.task.candidates)
        ]
        return [dealt[place] for place in rng.permutation(len(dealt))]

    def noise(self, walk: str, target: str) -> int:
        """Each model's own: under equal noise one model's answers would be another's reference."""
        return drawn(self.secret, "noise", walk, target)

    def key(self, target: str, candidate: str) -> str:
        return key_of(self.split.family.targets.index(target), candidate)

    def labels(self, size: int) -> Labels:
        keys, alike = self.split.candidates(np.arange(len(self.split))).keys, self.split.alike
        found = {
            self.key(target, keys[place]): (inside[place], alike[place], model, keys[place])
            for target, model, inside, own in zip(
                self.targets, self.split.models, self.split.inside, self.pictures, strict=True
            )
            for place in own
        }
        names = sorted(found)
        member, groups, models, shown = zip(*(found[name] for name in names), strict=True)
        return Labels(
            tuple(names), np.array(member), np.array(groups), np.array(models), tuple(shown)
        )
