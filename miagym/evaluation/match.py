"""One target, one data set, all attacks: what is loaded, and how a chunk of it is scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.budget import Budget
from miagym.cache import Cache
from miagym.data.candidates import Candidates
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data
from miagym.errors import (
    AccessDenied,
    BudgetExhausted,
    NoCaption,
    RunError,
    TargetError,
    TooFewToLearn,
)
from miagym.evaluation.config import Config, Match
from miagym.evaluation.protocol import Attack, LearnedAttack
from miagym.evaluation.store import SCORES, Clock, Features
from miagym.oracle import Oracle
from miagym.targets.base import Target
from miagym.targets.registry import load_target

REFUSALS = (AccessDenied, BudgetExhausted, NoCaption, TargetError, TooFewToLearn)
"""Why an attack is left out of a run, while the others go on."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a match's data, scored together under one cache."""

    name: str
    part: str
    rows: NDArray[np.int64]
    chooses: bool = False
    """Whether variants are compared on it."""


@dataclass(frozen=True)
class Job:
    """What is done with a chunk."""

    scored: Mapping[str, Mapping[str, Attack]] = field(default_factory=dict)
    """Attacks to score: by name, variants by their repr."""
    learning: Mapping[str, LearnedAttack] = field(default_factory=dict)
    """Attacks whose features are kept, to be fitted on."""


class MatchRun:
    """A match, loaded; attacks that it refuses are in `skipped`, with the reason."""

    def __init__(self, config: Config, number: int, make_attack: Callable[[str], Attack]) -> None:
        self.config = config
        self.number = number
        self.match: Match = config.matches[number]
        self.data: Dataset = load_data(self.match.data)
        self.attacks = {name: make_attack(name) for name in self.match.attacks}
        if config.queries is not None:
            for name, attack in self.attacks.items():
                self.attacks[name] = attack.within(config.queries)
        self.skipped: list[dict[str, str]] = []

    @cached_property
    def target(self) -> Target:
        return load_target(self.match.target, device=self.config.device)

    @cached_property
    def reference(self) -> Target | None:
        name = self.match.reference
        return None if name is None else load_target(name, device=self.config.device)

    def oracle(self, attack: Attack, cache: Cache) -> Oracle:
        """The door that one attack gets: its own meter, the chunk's cache."""
        options = {
            "seed": self.config.seed,
            "cache": cache,
            "batch_size": self.config.batch_size,
            "budget": Budget(queries=self.config.queries),
        }
        reference = (
            None if self.reference is None else Oracle(self.reference, attack.access, **options)
        )
        return Oracle(self.target, attack.access, reference=reference, **options)

    def test_chunks(self) -> list[Chunk]:
        return self._cut(TEST, self.data.rows(TEST, self.config.seed, self.config.limit))

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
        seed, limit = self.config.seed, self.config.limit
        rows = np.concatenate([self.data.rows(part, seed, limit) for part in (TEST, CALIBRATION)])
        bare = [row for row in rows if not self.data.captions[row].strip()]
        candidate = self.data.candidates(np.array([*bare, rows[0]])[:1], self.target.resolution)
        member = self.data.member[self.data.rows(CALIBRATION, seed, limit)]
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

    def leave_out(self, refused: Mapping[str, str]) -> None:
        """Goes on without these attacks, which were refused for these reasons."""
        for name, why in refused.items():
            if self.attacks.pop(name, None) is not None:
                where = {"target": self.match.target, "data": self.match.data}
                self.skipped.append({**where, "attack": name, "why": why})

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
            RunError: if every attack was refused.
        """
        if not self.attacks:
            reasons = "; ".join(dict.fromkeys(s["why"] for s in self.skipped))
            raise RunError(f"No attack can be run on {self.match.target}: {reasons}")

    def work(self, chunk: Chunk, job: Job) -> tuple[pa.Table, Features, Clock]:
        """Scores a chunk, and collects what is learned from it, all under one cache."""
        candidates = self.data.candidates(chunk.rows, self.target.resolution)
        member = self.data.member[chunk.rows]
        cache, tables, oracles = Cache(), [SCORES.empty_table()], []
        seconds, refused, features = {}, {}, Features(member, {})

        def door(attack: Attack) -> Oracle:
            oracles.append(self.oracle(attack, cache))
            return oracles[-1]

        for name in dict.fromkeys([*job.scored, *job.learning]):
            start = time.perf_counter()
            try:
                for variant, attack in job.scored.get(name, {}).items():
                    oracle = door(attack)
                    curve = attack.anytime(oracle, candidates)
                    tables += self._tables(chunk, candidates, name, variant, curve, oracle)
                if learner := job.learning.get(name):
                    features.by_attack[name] = learner.features(door(learner), candidates)
            except REFUSALS as error:
                refused[name] = str(error)
            seconds[name] = time.perf_counter() - start
        charged = sum(map(_charged, oracles))
        clock = Clock(seconds, charged, cache.computed.unet_rows, refused)
        return pa.concat_tables(tables), features, clock

    def _tables(
        self,
        chunk: Chunk,
        candidates: Candidates,
        name: str,
        variant: str,
        curve: Mapping[int, NDArray[np.float64]],
        oracle: Oracle,
    ) -> list[pa.Table]:
        """One table for each budget on the curve; the shorter runs are prefixes of the last."""
        n, last = len(candidates), max(curve)
        spent = [oracle.meter.spent(key) for key in candidates.keys]
        tables = []
        for budget in curve if chunk.part == TEST else [last]:
            share = budget / last if last else 1
            columns = {
                "target": [self.match.target] * n,
                "data": [self.match.data] * n,
                "attack": [name] * n,
                "variant": [variant] * n,
                "part": [chunk.part] * n,
                "candidate": candidates.keys,
                "member": self.data.member[chunk.rows],
                "budget": [budget] * n,
                "score": curve[budget],
                "queries": [round(cost.queries * share) for cost in spent],
                "unet_rows": [round(cost.unet_rows * share) for cost in spent],
                "backward_rows": [round(cost.backward_rows * share) for cost in spent],
            }
            tables.append(pa.table(columns, schema=SCORES))
        return tables


def _charged(oracle: Oracle) -> int:
    """UNet rows charged to one attack, by the target and by the reference."""
    oracles = [oracle] if oracle.reference is None else [oracle, oracle.reference]
    return sum(each.meter.total().unet_rows for each in oracles)
