"""One target, one data set, all attacks: what is loaded, and how a chunk of it is scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data
from miagym.embedded.pairings import check_reference
from miagym.errors import (
    AccessDenied,
    BudgetExhausted,
    NoCaption,
    RunError,
    TargetError,
    TooFewToLearn,
)
from miagym.evaluation.chunk import Chunk
from miagym.evaluation.config import Config, Match
from miagym.evaluation.protocol import Attack, LearnedAttack
from miagym.evaluation.store import NULL
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.budget import Budget
from miagym.oracle.cache import Cache
from miagym.targets.base import Target
from miagym.targets.registry import load_target
from miagym.training.record import record_of

REFUSALS = (AccessDenied, BudgetExhausted, NoCaption, TargetError, TooFewToLearn)
"""Why an attack is left out of a run, while the others go on."""


class MatchRun:
    """A match, loaded; attacks that it refuses are in `skipped`, with the reason."""

    def __init__(self, config: Config, number: int, make_attack: Callable[[str], Attack]) -> None:
        self.config = config
        self.number = number
        self.match: Match = config.matches[number]
        if self.match.reference is not None:
            check_reference(self.match.reference, self.match.target, self.match.data)
        self.data: Dataset = load_data(self.match.data)
        self.attacks = {name: make_attack(name) for name in self.match.attacks}
        if config.queries is not None:
            for name, attack in self.attacks.items():
                self.attacks[name] = attack.within(config.queries)
        self.skipped: list[dict[str, str]] = []
        self._asked = bool(self.asking)

    @property
    def asking(self) -> list[str]:
        """Names of the attacks that look at the target, which blind ones do not."""
        return [name for name, a in self.attacks.items() if a.access > Access.BLIND]

    @cached_property
    def target(self) -> Target:
        return load_target(self.match.target, device=self.config.device)

    @cached_property
    def reference(self) -> Target | None:
        name = self.match.reference
        return None if name is None else load_target(name, device=self.config.device)

    @cached_property
    def null(self) -> Target | None:
        name = self.match.null
        return None if name is None else load_target(name, device=self.config.device)

    def fingerprints(self) -> dict[str, str]:
        """Of the models that take part, by their names."""
        named = {
            self.match.target: self.target,
            self.match.reference: self.reference,
            self.match.null: self.null,
        }
        return {name: model.fingerprint for name, model in named.items() if name and model}

    def release(self) -> None:
        """Lets go of the models, which are loaded again when they are needed again."""
        for model in ("target", "reference", "null"):
            self.__dict__.pop(model, None)

    def oracle(self, attack: Attack, cache: Cache, target: Target | None = None) -> Oracle:
        """The door that one attack gets: its own meter, the chunk's cache.

        Args:
            attack: says how much may be asked.
            cache: shared by the attacks on a chunk.
            target: what is asked; that of the match by default.
        """
        options = {
            "seed": self.config.seed,
            "cache": cache,
            "batch_size": self.config.batch_size,
            "budget": Budget(queries=self.config.queries),
        }
        reference = (
            None if self.reference is None else Oracle(self.reference, attack.access, **options)
        )
        return Oracle(target or self.target, attack.access, reference=reference, **options)

    def test_chunks(self) -> list[Chunk]:
        return self._cut(TEST, self.data.rows(TEST, self.config.seed, self.config.limit))

    def null_chunks(self) -> list[Chunk]:
        """The first rows of the test part, about which the null target is asked."""
        if self.match.null is None:
            return []
        limit = self.config.limit
        fewer = self.config.null_on if limit is None else min(limit, self.config.null_on)
        return self._cut(NULL, self.data.rows(TEST, self.config.seed, fewer))

    def calibration_chunks(self) -> list[Chunk]:
        """The calibration part; its first rows choose variants, all of them fit what learns."""
        seed, limit = self.config.seed, self.config.limit
        rows = self.data.rows(CALIBRATION, seed, limit)
        fewer = self.config.choose_on if limit is None else min(limit, self.config.choose_on)
        choosing = self.data.rows(CALIBRATION, seed, fewer)
        first = self._cut(CALIBRATION, choosing, chooses=True)
        return first + self._cut(CALIBRATION, rows[~np.isin(rows, choosing)], start=len(first))

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
        candidate = self._probed()
        calibration = self.data.rows(CALIBRATION, self.config.seed, self.config.limit)
        member = self.data.member[calibration]
        for name, attack in list(self.attacks.items()):
            oracle = self.oracle(attack, Cache())
            try:
                if isinstance(attack, LearnedAttack):
                    attack.check_calibration(member)
                    attack.features(oracle, candidate)
                else:
                    attack(oracle, candidate)
            except REFUSALS as error:
                self.leave_out({name: str(error)})
        self.check_any_attack()

    def _probed(self) -> Candidates:
        """One candidate that can be read, without a caption if there is such a one."""
        seed, limit = self.config.seed, self.config.limit
        rows = np.concatenate([self.data.rows(part, seed, limit) for part in (TEST, CALIBRATION)])
        bare = np.array([not self.data.captions[row].strip() for row in rows])
        for row in np.concatenate([rows[bare], rows[~bare]]):
            loaded = self.data.load(np.array([row]), self.target.resolution)
            if len(loaded.rows):
                return loaded.candidates
        raise RunError(f"None of the {len(rows)} pictures of {self.data.name} can be read.")

    def leave_out(self, refused: Mapping[str, str]) -> None:
        """Goes on without these attacks, which were refused for these reasons."""
        for name, why in refused.items():
            if self.attacks.pop(name, None) is not None:
                where = {"target": self.match.target, "data": self.match.data}
                self.skipped.append({**where, "attack": name, "why": why})

    def doubts(self) -> str | None:
        """Why the labels may be wrong, where it is on record what the target was trained on."""
        record = record_of(self.match.target)
        if record is None:
            return None
        seed, limit = self.config.seed, self.config.limit
        rows = [self.data.rows(part, seed, limit) for part in (CALIBRATION, TEST)]
        return record.doubts(self.data, np.concatenate(rows))

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
        if not self.attacks or (self._asked and not self.asking):
            reasons = " ".join(dict.fromkeys(f"{s['why'].rstrip('.')}." for s in self.skipped))
            raise RunError(f"No attack can be run on {self.match.target}: {reasons}")
