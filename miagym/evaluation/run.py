"""The main job: matches in, a run folder out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from miagym.budget import Budget
from miagym.cache import Cache
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data
from miagym.errors import AccessDenied, BudgetExhausted, RunError, TargetError
from miagym.evaluation.config import Config, Match
from miagym.evaluation.metrics import measure
from miagym.evaluation.protocol import HELD_OUT, Attack, LearnedAttack, best_variant
from miagym.evaluation.store import SCORES, Clock, RunFolder
from miagym.evaluation.workers import chunk_workers
from miagym.oracle import Oracle
from miagym.targets.base import Target
from miagym.targets.registry import load_target

Progress = Callable[[str, int], Callable[[], None]]
"""Called with a label and a number of steps; what it returns is called after each step."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a match's data, scored together under one cache."""

    name: str
    part: str
    rows: NDArray[np.int64]


class MatchRun:
    """One target, one data set, all attacks: what is loaded, and how a chunk of it is scored."""

    def __init__(self, config: Config, number: int, make_attack: Callable[[str], Attack]) -> None:
        self.config = config
        self.number = number
        self.match: Match = config.matches[number]
        self.data: Dataset = load_data(self.match.data)
        self.attacks = {name: make_attack(name) for name in self.match.attacks}
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

    def chunks(self, part: str, limit: int | None) -> list[Chunk]:
        rows = self.data.rows(part, self.config.seed, limit)
        cuts = range(0, len(rows), self.config.chunk)
        return [
            Chunk(
                f"{self.number:02d}-{part}-{i:05d}", part, rows[start : start + self.config.chunk]
            )
            for i, start in enumerate(cuts)
        ]

    def probe(self) -> None:
        """Runs every attack on one candidate; what is refused is skipped and reported."""
        row = self.data.rows(TEST, self.config.seed, 1)[:1]
        candidate = self.data.candidates(row, self.target.resolution)
        for name, attack in list(self.attacks.items()):
            oracle = self.oracle(attack, Cache())
            try:
                if isinstance(attack, LearnedAttack):
                    attack.features(oracle, candidate)
                else:
                    attack(oracle, candidate)
            except (AccessDenied, BudgetExhausted, TargetError) as error:
                del self.attacks[name]
                where = {"target": self.match.target, "data": self.match.data}
                self.skipped.append({**where, "attack": name, "why": str(error)})
        if not self.attacks:
            reasons = "; ".join(dict.fromkeys(s["why"] for s in self.skipped))
            raise RunError(f"No attack can be run on {self.match.target}: {reasons}")

    def score(self, chunk: Chunk, attacks: dict[str, dict[str, Attack]]) -> tuple[pa.Table, Clock]:
        """Scores a chunk with every variant of every attack, sharing one cache.

        Args:
            chunk: which rows.
            attacks: by attack name, variants by their repr.
        """
        candidates = self.data.candidates(chunk.rows, self.target.resolution)
        cache, tables, seconds, charged = Cache(), [], {}, 0
        for name, variants in attacks.items():
            start = time.perf_counter()
            for variant, attack in variants.items():
                oracle = self.oracle(attack, cache)
                scores = attack(oracle, candidates)
                spent = [oracle.meter.spent(key) for key in candidates.keys]
                charged += oracle.meter.total().unet_rows
                if oracle.reference is not None:
                    charged += oracle.reference.meter.total().unet_rows
                n = len(candidates)
                columns = {
                    "target": [self.match.target] * n,
                    "data": [self.match.data] * n,
                    "attack": [name] * n,
                    "variant": [variant] * n,
                    "part": [chunk.part] * n,
                    "candidate": candidates.keys,
                    "member": self.data.member[chunk.rows],
                    "score": scores,
                    "queries": [cost.queries for cost in spent],
                    "unet_rows": [cost.unet_rows for cost in spent],
                }
                tables.append(pa.table(columns, schema=SCORES))
            seconds[name] = time.perf_counter() - start
        return pa.concat_tables(tables), Clock(seconds, charged, cache.computed.unet_rows)

    def fit(self, attack: LearnedAttack) -> Attack:
        """Fits an attack on the whole calibration part, chunk by chunk."""
        features, member = [], []
        for chunk in self.chunks(CALIBRATION, self.config.limit):
            candidates = self.data.candidates(chunk.rows, self.target.resolution)
            features.append(attack.features(self.oracle(attack, Cache()), candidates))
            member.append(self.data.member[chunk.rows])
        return attack.fit(np.concatenate(features), np.concatenate(member))


def evaluate(
    config: Config,
    make_attack: Callable[[str], Attack],
    open_folder: Callable[[list[MatchRun]], RunFolder],
    progress: Progress,
) -> dict[str, Any]:
    """Runs all matches, resuming what the folder already holds, and writes the results.

    Args:
        config: what to run.
        make_attack: from name to attack.
        open_folder: opens the run folder, once it is known what was loaded.
        progress: shows how far each phase is.

    Returns:
        The content of results.json.

    Raises:
        MiagymError: of whatever kind; what has been scored before it stays in the folder.
    """
    runs = [MatchRun(config, number, make_attack) for number in range(len(config.matches))]
    folder = open_folder(runs)
    if folder.finished:
        return folder.results()
    tables: list[pa.Table] = []
    clocks: list[Clock] = []
    rows: list[dict[str, Any]] = []
    for run in runs:
        run.probe()
        before = len(clocks)
        chosen, calibration = _calibrate(run, folder, progress, clocks)
        test = list(
            _score_all(run, run.chunks(TEST, config.limit), chosen, folder, progress, clocks)
        )
        tables += [*calibration, *test]
        rows += _rows(run, pa.concat_tables(test), config.seed, clocks[before:])
    totals = {
        "rows_charged": sum(clock.rows_charged for clock in clocks),
        "rows_computed": sum(clock.rows_computed for clock in clocks),
        "skipped": [skipped for run in runs for skipped in run.skipped],
    }
    results = {"schema": 1, "run": {"config": asdict(config), **totals}, "rows": rows}
    folder.finish(pa.concat_tables(tables), results)
    return results


def _calibrate(
    run: MatchRun, folder: RunFolder, progress: Progress, clocks: list[Clock]
) -> tuple[dict[str, dict[str, Attack]], list[pa.Table]]:
    """Chooses a variant of each attack, or fits it, on the calibration part alone."""
    chosen = {name: _by_repr([attack]) for name, attack in run.attacks.items()}
    options = {name: _by_repr(attack.variants()) for name, attack in run.attacks.items()}
    options = {
        name: variants
        for name, variants in options.items()
        if len(variants) > 1 and not isinstance(run.attacks[name], LearnedAttack)
    }
    tables = []
    if options:
        limit = run.config.choose_on if run.config.limit is None else run.config.limit
        chunks = run.chunks(CALIBRATION, min(limit, run.config.choose_on))
        tables = list(_score_all(run, chunks, options, folder, progress, clocks))
        scores = pa.concat_tables(tables)
        member = np.concatenate([run.data.member[chunk.rows] for chunk in chunks])
        for name, variants in options.items():
            of_attack = scores.filter(pc.field("attack") == name)
            by_variant = {}
            for variant in variants:
                part = of_attack.filter(pc.field("variant") == variant)
                by_variant[variant] = part["score"].to_numpy()
            best = best_variant(by_variant, member)
            chosen[name] = {best: variants[best]}
    for name, attack in run.attacks.items():
        if isinstance(attack, LearnedAttack):
            chosen[name] = {repr(attack): run.fit(attack)}
    return chosen, tables


def _by_repr(attacks: Iterable[Attack]) -> dict[str, Attack]:
    return {repr(attack): attack for attack in attacks}


def _score_all(
    run: MatchRun,
    chunks: list[Chunk],
    attacks: dict[str, dict[str, Attack]],
    folder: RunFolder,
    progress: Progress,
    clocks: list[Clock],
) -> Iterator[pa.Table]:
    done = progress(f"{run.match.target}: {chunks[0].part}", len(chunks))

    def score(chunk: Chunk) -> str:
        if not folder.has(chunk.name):
            folder.write(chunk.name, *run.score(chunk, attacks))
        return chunk.name

    with chunk_workers(run.target) as pool:
        try:
            for name in pool.map(score, chunks):
                clocks.append(folder.clock(name))
                done()
                yield folder.read(name)
        except KeyboardInterrupt:
            progress("stopping after the chunks at work", 1)
            raise


def _rows(run: MatchRun, scores: pa.Table, seed: int, clocks: list[Clock]) -> list[dict[str, Any]]:
    """One row of results.json for each attack, from its test scores."""
    rows = []
    for name, attack in run.attacks.items():
        part = scores.filter(pc.field("attack") == name)
        member = part["member"].to_numpy(zero_copy_only=False)
        row = {
            "target": run.match.target,
            "data": run.match.data,
            "attack": name,
            "access": str(attack.access),
            **measure(part["score"].to_numpy(), member, seed).as_row(),
            "queries": float(np.mean(part["queries"].to_numpy())),
            "unet_rows": float(np.mean(part["unet_rows"].to_numpy())),
            "seconds": sum(clock.seconds.get(name, 0.0) for clock in clocks),
            "protocol": HELD_OUT,
            "chosen": part["variant"][0].as_py(),
        }
        rows.append(row)
    return rows
