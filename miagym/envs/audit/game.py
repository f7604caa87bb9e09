"""Game of an audit: the rules of `Game`, with the model of each hand drawn when it is dealt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.envs.asking import Questioner
from miagym.envs.audit.family import FamilySplit
from miagym.envs.audit.settings import AuditSettings
from miagym.envs.game import Game
from miagym.envs.grading.verdicts import VerdictLog
from miagym.envs.questions import BatchAnswer
from miagym.envs.settings import TRAIN
from miagym.envs.state.moves import PaidQuestion
from miagym.envs.world import World, load_models
from miagym.targets.base import Target
from miagym.targets.registry import load_target


class AuditQuestioner(Questioner):
    """Questioner that asks, for each episode, the model that its hand is about."""

    def __init__(self, settings: AuditSettings, world: World, episodes: int) -> None:
        super().__init__(settings, world, episodes)
        self.model: NDArray[np.int64] = np.zeros(episodes, dtype=np.int64)
        """Of each episode, its number within the split."""
        self._audit, self._world = settings, world
        self._each: dict[int, Questioner] = {}

    def answers(
        self, kind: str, batch: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> list[BatchAnswer]:
        rows: defaultdict[int, list[int]] = defaultdict(list)
        for i, one in enumerate(batch):
            rows[int(self.model[one.episode])].append(i)
        parts = [
            self._about(model).answers(kind, [batch[i] for i in some], candidates)
            for model, some in rows.items()
        ]
        back = torch.tensor(np.argsort(np.concatenate([*rows.values()])))
        return [_together(answers, back) for answers in zip(*parts, strict=True)]

    def _about(self, model: int) -> Questioner:
        """Questioner about one model, which is loaded when it is first asked."""
        if model not in self._each:
            world = World(self._target(model), self._world.reference, self._world.split)
            self._each[model] = Questioner(self._audit, world, 0)
        return self._each[model]

    def _target(self, model: int) -> Target:
        split = cast(FamilySplit, self._world.split)
        name = split.family.names[split.models[model]]
        return load_target(name, device=self._audit.device)


def _together(answers: Sequence[BatchAnswer], back: torch.Tensor) -> BatchAnswer:
    """Answers of several models as one batch, in the order that `back` says."""
    difference = torch.cat([one.difference for one in answers])[back]
    images = [one.images for one in answers if one.images is not None]
    return BatchAnswer(difference, torch.cat(images)[back] if images else None)


class AuditGame(Game):
    """State of b hands, each of one model, with all of its pictures on one side."""

    settings: AuditSettings

    @property
    def world(self) -> World:
        if self._world is None:
            settings = self.settings
            target, reference = load_models(settings)
            side, hand = target.resolution, settings.candidates
            split = FamilySplit(settings.models, settings.split, side, hand)
            self._world = World(target, reference, split)
        return cast(World, self._world)

    @property
    def questioner(self) -> AuditQuestioner:
        if self._questioner is None:
            self._questioner = AuditQuestioner(self.settings, self.world, len(self.over))
            self._questioner.restore(self._answers)
        found = cast(AuditQuestioner, self._questioner)
        found.model = self.places[:, 0] // len(self._split.pictures)
        return found

    def record(self, episodes: Sequence[int] | NDArray[np.intp], log: VerdictLog) -> None:
        """One verdict a hand; its key says model and pictures, which is where its label is."""
        if self.settings.split == TRAIN:
            return
        split = self._split
        for episode in episodes:
            places = self.places[episode]
            pictures = sorted(split.pictures[places % len(split.pictures)].tolist())
            model = split.models[places[0] // len(split.pictures)]
            key = f"{model}:{','.join(map(str, pictures))}"
            spent = self.settings.budget - int(self.accounts.left[episode])
            log.add((key,), self.probability[episode, :1], spent)

    @property
    def _split(self) -> FamilySplit:
        return cast(FamilySplit, self.world.split)
