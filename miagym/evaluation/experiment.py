"""One target, one data set, all attacks: what is loaded, and how it is cut into chunks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import CALIBRATION, TEST, Dataset, Loaded
from miagym.data.registry import load_data
from miagym.embedded.pairings import check_other_generator, check_reference
from miagym.evaluation.chunk import Chunk
from miagym.evaluation.config import Config, Match, Objects
from miagym.evaluation.protocol import Attack
from miagym.evaluation.shadow_models import ShadowModels, load_shadows
from miagym.evaluation.signals import Signals, first_readable
from miagym.evaluation.store import GENERATED, NULL, OTHER
from miagym.metrics.groups.clusters import check_groups
from miagym.oracle import Access
from miagym.oracle.latents import KeptLatents
from miagym.results import Sample, Skipped
from miagym.targets.base import Target, Told
from miagym.training.record import record_of


class Experiment:
    """A match, loaded; attacks that it refuses are in `skipped`, with the reason."""

    def __init__(self, config: Config, number: int, objects: Objects) -> None:
        self.config = config
        self.number = number
        self.match: Match = config.matches[number]
        if self.match.reference is not None:
            check_reference(self.match.reference, self.match.target, self.match.data)
        if self.match.other_generator is not None:
            check_other_generator(self.match.other_generator, self.match.target, self.match.data)
        self._objects = objects
        own = objects.data.get(self.match.data)
        self.data: Dataset = own or load_data(self.match.data, self.match.member_value)
        self.data.require(CALIBRATION, TEST, by="an evaluation")
        self.attacks = {name: objects.attacks[name] for name in self.match.attacks}
        if config.queries is not None:
            for name, attack in self.attacks.items():
                self.attacks[name] = attack.within(config.queries)
        if self.data.groups is not None:
            rows = self.data.rows(TEST, config.seed, config.limit)
            check_groups(self.data.groups[rows], self.data.member[rows], self.data.name)
        self.skipped: list[Skipped] = []
        self.bytes_kept: dict[tuple[object, ...], int] = {}
        """Of answers about one candidate, by what is done with it."""
        self._asked = bool(self.asking)

    @property
    def asking(self) -> list[str]:
        """Names of the attacks that look at the target, which blind ones do not."""
        return [name for name, a in self.attacks.items() if a.access > Access.BLIND]

    @cached_property
    def null(self) -> Target | None:
        return self._model(self.match.null)

    @cached_property
    def other_generator(self) -> Target | None:
        return self._model(self.match.other_generator)

    def asked_about(self, part: str) -> Target:
        """The model that is asked about the candidates of a part."""
        if part not in (NULL, OTHER):
            return self.target
        model = self.null if part == NULL else self.other_generator
        assert model is not None, part
        return model

    def load(self, chunk: Chunk) -> Loaded:
        """The pictures of a chunk, in the size of the model that is asked about them."""
        return self.data.load(chunk.rows, self.asked_about(chunk.part).resolution)

    @cached_property
    def signals(self) -> Signals:
        """Target, reference and shadows, loaded, with all that decides how they are asked."""
        target = self._objects.target(self.match.target, self.config)
        kept = self.config.keep_latents
        return Signals(
            target,
            self.attacks,
            self._model(self.match.reference),
            self.config.seed,
            self.config.batch_size,
            self.config.queries,
            self.config.posterior,
            self._shadows(target),
            self.config.defence,
            None if kept is None else KeptLatents(Path(kept)),
        )

    @property
    def target(self) -> Target:
        return self.signals.target

    def _model(self, name: str | None) -> Target | None:
        return None if name is None else self._objects.target(name, self.config)

    def _shadows(self, target: Target) -> ShadowModels | None:
        if not self.match.shadows:
            return None

        def load(name: str) -> Target:
            return self._objects.target(name, self.config)

        return load_shadows(self.match.shadows, self.match.target, target, load)

    def models(self) -> dict[str, Target]:
        """The models that take part, by their names."""
        named = {
            self.match.target: self.target,
            self.match.reference: self.signals.reference,
            self.match.null: self.null,
            self.match.other_generator: self.other_generator,
        }
        if self.signals.shadows is not None:
            named |= dict(zip(self.match.shadows, self.signals.shadows.targets, strict=True))
        return {name: model for name, model in named.items() if name and model}

    def release(self) -> None:
        """Lets go of the models, which are loaded again when they are needed again."""
        for model in ("signals", "null", "other_generator"):
            self.__dict__.pop(model, None)

    def test_chunks(self) -> list[Chunk]:
        return self._cut(TEST, self.data.rows(TEST, self.config.seed, self.config.limit))

    def null_chunks(self) -> list[Chunk]:
        """The first rows of the test part, about which the null target is asked."""
        if self.match.null is None:
            return []
        fewer = self._at_most(self.config.null_on)
        return self._cut(NULL, self.data.rows(TEST, self.config.seed, fewer))

    def other_chunks(self) -> list[Chunk]:
        """The test part, about which the other generator is asked."""
        if self.match.other_generator is None:
            return []
        return self._cut(OTHER, self.data.rows(TEST, self.config.seed, self.config.limit))

    def generated_chunks(self) -> list[Chunk]:
        """The first non-members of the test part, whose captions are generated from."""
        rows = self.data.rows(TEST, self.config.seed, self.config.limit)
        rows = rows[~self.data.member[rows]][: self._own_pictures]
        return self._cut(GENERATED, rows) if len(rows) else []

    @property
    def _own_pictures(self) -> int:
        return self.config.own_pictures(self.target.told is not Told.NOTHING)

    def calibration_chunks(self) -> list[Chunk]:
        """The calibration part; its first rows choose variants, all of them fit what learns."""
        rows = self._learned_rows()
        fewer = self._at_most(self.config.choose_on)
        choosing = self.data.rows(CALIBRATION, self.config.seed, fewer)
        first = self._cut(CALIBRATION, choosing, chooses=True)
        return first + self._cut(CALIBRATION, rows[~np.isin(rows, choosing)], start=len(first))

    def learned_on(self) -> Sample | None:
        """Of a calibration part that is larger, the rows that are asked about."""
        part = self.data.rows(CALIBRATION, self.config.seed, self.config.limit)
        return Sample.of(self.data.member[self._learned_rows()], self.data.member[part])

    def _learned_rows(self) -> NDArray[np.int64]:
        most = self._at_most(max(self.config.choose_on, self.config.learn_on))
        return self.data.rows(CALIBRATION, self.config.seed, most)

    def _at_most(self, most: int) -> int:
        return most if self.config.limit is None else min(self.config.limit, most)

    def _cut(
        self, part: str, rows: NDArray[np.int64], start: int = 0, chooses: bool = False
    ) -> list[Chunk]:
        size = self.config.chunk
        return [
            Chunk(f"{self.number:02d}-{part}-{start + i:05d}", part, rows[a : a + size], chooses)
            for i, a in enumerate(range(0, len(rows), size))
        ]

    def probe(self) -> None:
        """Runs every attack on one candidate; what is refused is skipped and reported.

        The candidate is one without a caption, if there is any.
        """
        rows = self._all_rows()
        bare = np.array([not self.data.captions[row].strip() for row in rows])
        ordered = np.concatenate([rows[bare], rows[~bare]])
        candidate = first_readable(self.data, ordered, self.target.resolution)
        self.leave_out(self.signals.refused(candidate, self.data.member[self._learned_rows()]))
        if self._own_pictures:  # what cannot be generated is refused before anything is scored
            self.signals.generated(candidate)
        self.check_any_attack()

    def leave_out(self, refused: Mapping[str, str]) -> None:
        """Goes on without these attacks, which were refused for these reasons."""
        for name, why in refused.items():
            if self.attacks.pop(name, None) is not None:
                about = {"target": self.match.target, "data": self.match.data, "attack": name}
                self.skipped.append(Skipped(**about, why=why))

    def doubts(self) -> str | None:
        """Why the labels may be wrong, where it is on record what the target was trained on."""
        record = record_of(self.match.target)
        return None if record is None else record.doubts(self.data, self._all_rows())

    def _all_rows(self) -> NDArray[np.int64]:
        seed, limit = self.config.seed, self.config.limit
        return np.concatenate([self.data.rows(part, seed, limit) for part in (TEST, CALIBRATION)])

    def affordable_variants(self, attack: Attack) -> dict[str, Attack]:
        """By their repr, what calibration data choose from within the budget."""
        limit = self.config.queries
        return {
            repr(variant): variant
            for variant in attack.variants()
            if limit is None or variant.cost.queries <= limit
        }

    def check_any_attack(self) -> None:
        """Whether there is anything left to do.

        Raises:
            RunError: if every attack was refused, or only blind ones are left of more.
        """
        left = self.asking if self._asked else self.attacks
        self.signals.check_any_left(left, [skipped.why for skipped in self.skipped])
