"""How a chunk is scored: every attack through its own door, all under one cache."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.data.dataset import TEST, Loaded
from miagym.errors import MemoryRanOut
from miagym.evaluation.chunk import Chunk, ChunkFeatures, Clock, Job
from miagym.evaluation.experiment import Experiment
from miagym.evaluation.protocol import Attack
from miagym.evaluation.signals import REFUSALS, checked_scores
from miagym.evaluation.store import GENERATED, PAPER, SCORES
from miagym.oracle import Oracle
from miagym.oracle.cache import Cache
from miagym.targets.memory import room

Number = TypeVar("Number", int, float)

FLOAT = 4
"""Bytes of a number in an answer."""

MAX_KEPT = 500
"""Answers of the size of a picture that attacks hardly keep of a candidate: those at the paper's
settings keep some 57. Where there is room for so many, nothing is measured."""


@dataclass
class ChunkScores:
    """What came of some candidates, under one cache."""

    features: ChunkFeatures
    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    """By attack, one for each variant and budget, in the order in which they were asked."""
    charged: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    rows_computed: int = 0
    kept_bytes: int = 0
    """Of answers, all of which are kept until the last attack is through."""


def score_chunk(
    run: Experiment, chunk: Chunk, job: Job, names: Sequence[str], loaded: Loaded
) -> tuple[pa.Table, ChunkFeatures, Clock]:
    """Scores a chunk by these attacks, and collects what they learn from it, under one cache.

    Pictures that cannot be read are left out, and reported with the reason. Where memory does not
    hold the answers about all candidates, one part is scored after the other; within rounding, the
    chunk is what it would have been, so that any machine goes on with it.

    Args:
        run: the match.
        chunk: which candidates.
        job: what attacks do with them.
        names: of these, those that the chunk has not been done with.
        loaded: its pictures, as `run.load` reads them.
    """
    if chunk.part == GENERATED:
        loaded = replace(loaded, candidates=run.signals.generated(loaded.candidates))
    parts: list[ChunkScores] = []
    left = list(names)
    for some in _cut(loaded, _fitting(run, chunk, job, names, loaded)):
        parts.append(_score(run, chunk.part, job, left, some))
        left = [name for name in left if name not in parts[-1].refused]
    tables, features = _joined(parts, left)
    clock = Clock(
        seconds=_summed([part.seconds for part in parts]),
        rows_charged=_summed([part.charged for part in parts]),
        rows_computed=sum(part.rows_computed for part in parts),
        refused={name: why for part in parts for name, why in part.refused.items()},
        unreadable={str(row): why for row, why in loaded.unreadable.items()},
    )
    return pa.concat_tables([SCORES.empty_table(), *tables]), features, clock


def _fitting(run: Experiment, chunk: Chunk, job: Job, names: Sequence[str], loaded: Loaded) -> int:
    """How many candidates' answers memory holds, measured on the first where it is in doubt."""
    model, n = run.asked_about(chunk.part), len(loaded.rows)
    bytes_of_room = room(model.device)
    picture = FLOAT * max(3 * model.resolution**2, math.prod(model.latent_shape))
    if bytes_of_room is None or n * MAX_KEPT * picture <= bytes_of_room:
        return n
    kind = chunk.part, chunk.chooses, *names
    if kind not in run.bytes_kept:
        (first, *_) = _cut(loaded, 1)
        run.bytes_kept[kind] = _score(run, chunk.part, job, names, first).kept_bytes
    return max(1, bytes_of_room // max(1, run.bytes_kept[kind]))


def _cut(loaded: Loaded, size: int) -> list[Loaded]:
    """The candidates in parts of at most this size; where there are none, one part of none."""
    if len(loaded.rows) <= size:
        return [loaded]
    starts = range(0, len(loaded.rows), size)
    parts = (slice(start, start + size) for start in starts)
    return [Loaded(loaded.candidates[part], loaded.rows[part], {}) for part in parts]


def _score(
    run: Experiment, part: str, job: Job, names: Sequence[str], loaded: Loaded
) -> ChunkScores:
    """Scores all these candidates under one cache."""
    model, cache = run.asked_about(part), Cache()
    oracles: list[Oracle] = []
    found = ChunkScores(ChunkFeatures(loaded.rows, run.data.member[loaded.rows], {}))
    found.charged |= dict.fromkeys(names, 0)
    found.seconds |= dict.fromkeys(names, 0.0)

    def door(attack: Attack) -> Oracle:
        oracles.append(run.signals.oracle(attack, cache, model))
        return oracles[-1]

    for name in names if len(loaded.rows) else ():
        start, before = time.perf_counter(), len(oracles)
        tables = found.tables[name] = []
        try:
            for shown, variants in ((part, job.scored), (PAPER, job.others)):
                for variant, attack in variants.get(name, {}).items():
                    oracle = door(attack)
                    curve = {
                        budget: checked_scores(attack, scores, len(loaded.rows))
                        for budget, scores in attack.anytime(oracle, loaded.candidates).items()
                    }
                    tables += _tables(run, shown, loaded, (name, variant), curve, oracle)
            if learner := job.learning.get(name):
                features = learner.features(door(learner), loaded.candidates)
                found.features.by_attack[name] = features
        except MemoryRanOut:  # of this machine, and no property of the attack
            raise
        except REFUSALS as error:
            found.refused[name] = str(error)
        found.seconds[name] = time.perf_counter() - start
        found.charged[name] = sum(map(_charged, oracles[before:]))
    found.rows_computed, found.kept_bytes = cache.computed.unet_rows, cache.kept_bytes
    return found


def _joined(parts: list[ChunkScores], whole: Sequence[str]) -> tuple[list[pa.Table], ChunkFeatures]:
    """Tables and features of all parts, in the order of a chunk that was not cut.

    Args:
        parts: at least one.
        whole: the attacks that no part refused; of others, parts show nothing.
    """
    if len(parts) == 1:
        (part,) = parts
        return [table for tables in part.tables.values() for table in tables], part.features
    tables: list[pa.Table] = []
    for name in whole:
        each = (part.tables[name] for part in parts)
        tables += (table for same in zip(*each, strict=True) for table in same)
    rows = np.concatenate([part.features.rows for part in parts])
    member = np.concatenate([part.features.member for part in parts])
    by_attack = {
        name: np.concatenate([part.features.by_attack[name] for part in parts])
        for name in whole
        if name in parts[0].features.by_attack
    }
    return tables, ChunkFeatures(rows, member, by_attack)


def _summed(counts: Sequence[Mapping[str, Number]]) -> dict[str, Number]:
    """By name, the sum over parts, in the order of the first."""
    total: dict[str, Number] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total[name] + number if name in total else number
    return total


def _tables(
    run: Experiment,
    part: str,
    loaded: Loaded,
    name_and_variant: tuple[str, str],
    curve: Mapping[int, NDArray[np.float64]],
    oracle: Oracle,
) -> list[pa.Table]:
    """One table for each budget on the curve; the shorter runs are prefixes of the last."""
    n, last = len(loaded.rows), max(curve)
    name, variant = name_and_variant
    keys = loaded.candidates.keys
    spent = [oracle.meter.spent(key) for key in keys]
    tables = []
    for budget in curve if part == TEST else [last]:
        share = budget / last if last else 1
        columns = {
            "target": [run.match.target] * n,
            "data": [run.match.data] * n,
            "attack": [name] * n,
            "variant": [variant] * n,
            "part": [part] * n,
            "candidate": keys,
            "row": loaded.rows,
            "name": [run.data.names[row] for row in loaded.rows] if run.data.names else [None] * n,
            "group": [None] * n if run.data.groups is None else run.data.groups[loaded.rows],
            "member": run.data.member[loaded.rows],
            "budget": [budget] * n,
            "score": curve[budget],
            "queries": [round(cost.queries * share) for cost in spent],
            "unet_rows": [round(cost.unet_rows * share) for cost in spent],
            "backward_rows": [round(cost.backward_rows * share) for cost in spent],
        }
        tables.append(pa.table(columns, schema=SCORES))
    return tables


def _charged(oracle: Oracle) -> int:
    """UNet rows charged to one attack, by the target, the reference and shadow models."""
    oracles = [oracle] if oracle.reference is None else [oracle, oracle.reference]
    oracles += () if oracle.shadows is None else oracle.shadows.oracles
    return sum(each.meter.total().unet_rows for each in oracles)
