"""How a chunk is scored: every attack through its own door, all under one cache."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.data.dataset import TEST, Loaded
from miagym.errors import MemoryRanOut
from miagym.evaluation.chunk import Chunk, Clock, Features, Job
from miagym.evaluation.experiment import Experiment
from miagym.evaluation.protocol import Attack
from miagym.evaluation.signals import REFUSALS, checked_scores
from miagym.evaluation.store import GENERATED, PAPER, SCORES
from miagym.oracle import Oracle
from miagym.oracle.cache import Cache


def score_chunk(
    run: Experiment, chunk: Chunk, job: Job, names: Sequence[str]
) -> tuple[pa.Table, Features, Clock]:
    """Scores a chunk by these attacks, and collects what they learn from it, under one cache.

    Pictures that cannot be read are left out, and reported with the reason.
    """
    model = run.asked_about(chunk.part)
    loaded = run.data.load(chunk.rows, model.resolution)
    if chunk.part == GENERATED:
        loaded = replace(loaded, candidates=run.signals.generated(loaded.candidates))
    member = run.data.member[loaded.rows]
    features, tables = Features(loaded.rows, member, {}), [SCORES.empty_table()]
    cache = Cache()
    oracles: list[Oracle] = []
    charged, seconds = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    refused: dict[str, str] = {}

    def door(attack: Attack) -> Oracle:
        oracles.append(run.signals.oracle(attack, cache, model))
        return oracles[-1]

    for name in names if len(loaded.rows) else ():
        start, before = time.perf_counter(), len(oracles)
        try:
            for part, variants in ((chunk.part, job.scored), (PAPER, job.others)):
                for variant, attack in variants.get(name, {}).items():
                    oracle = door(attack)
                    curve = {
                        budget: checked_scores(attack, scores, len(loaded.rows))
                        for budget, scores in attack.anytime(oracle, loaded.candidates).items()
                    }
                    tables += _tables(run, part, loaded, (name, variant), curve, oracle)
            if learner := job.learning.get(name):
                features.by_attack[name] = learner.features(door(learner), loaded.candidates)
        except MemoryRanOut:  # of this machine, and no property of the attack
            raise
        except REFUSALS as error:
            refused[name] = str(error)
        seconds[name] = time.perf_counter() - start
        charged[name] = sum(map(_charged, oracles[before:]))
    clock = Clock(
        seconds=seconds,
        rows_charged=charged,
        rows_computed=cache.computed.unet_rows,
        refused=refused,
        unreadable={str(row): why for row, why in loaded.unreadable.items()},
    )
    return pa.concat_tables(tables), features, clock


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
