"""Questions to a family: each is put to the target that its episode is about."""

from __future__ import annotations

from miagym.envs.asking import Questioner, SavedAnswers, answers_of, remember
from miagym.envs.family.world import FamilyWorld
from miagym.envs.settings import Settings
from miagym.envs.world import MAX_CACHE_BYTES, oracle_options
from miagym.oracle import Oracle
from miagym.oracle.cache import Cache


class FamilyQuestioner(Questioner):
    """Questioner with an oracle for each target of a split that was asked."""

    def __init__(self, settings: Settings, world: FamilyWorld, episodes: int) -> None:
        super().__init__(settings, world, episodes)
        self._world = world
        self._each: dict[int, Oracle] = {}

    def oracles_of(self, model: int) -> list[Oracle]:
        return [self._oracle(model), *self.oracles[1:]]

    def saved(self) -> SavedAnswers:
        """As of one target, and after it the answers of each of the split."""
        each = (
            answers_of(self._world.about(model), self._each[model].cache)
            if model in self._each
            else {}
            for model in range(len(self._world.split.models))
        )
        return SavedAnswers((*super().saved().each, *((answers, ()) for answers in each)))

    def restore(self, saved: SavedAnswers | None) -> None:
        n = len(self.oracles)
        super().restore(saved and SavedAnswers(saved.each[:n]))
        kept = [] if saved is None else [answers for answers, _ in saved.each[n:]]
        for oracle in self._each.values():
            oracle.cache.restore({})
        for model, answers in enumerate(kept):
            if answers:
                remember(self._oracle(model), self._world.about(model), answers)

    def _oracle(self, model: int) -> Oracle:
        if model not in self._each:
            share = Cache(MAX_CACHE_BYTES // len(self._world.split.models))
            options = {**oracle_options(self._settings), "cache": share}
            self._each[model] = Oracle(self._world.about(model), **options)
        return self._each[model]
