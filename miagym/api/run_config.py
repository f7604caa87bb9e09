"""Runs a configuration, however it came about: the one call of the engine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from miagym.api.names import attacks_of, blind_attacks
from miagym.api.run import Run
from miagym.errors import RunError, option
from miagym.evaluation import run as engine
from miagym.evaluation.config import AUTO, Config, Objects
from miagym.evaluation.folders.difference import read_about
from miagym.evaluation.opening import Join
from miagym.evaluation.sharding.shards import WHOLE, Shard
from miagym.evaluation.store import SCORES
from miagym.oracle.posterior import Posterior
from miagym.progress import Progress, silent

FOLDER = "miagym-run-"
"""How the name of a temporary run folder begins."""


def run_config(
    config: Config,
    objects: Objects | None = None,
    out: str | Path | None = None,
    command: str = "",
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda sentence: None,
    join: Join = Join.NO,
    shard: Shard = WHOLE,
    deadline: float | None = None,
) -> Run:
    """Runs a configuration, in its folder or in one that is gone afterwards.

    Args:
        config: what to run.
        objects: what its names stand for; by default registered attacks, and what is loaded.
        out: the run folder.
        command: what gives the same numbers again.
        progress: shows how far each phase is.
        tell: is told what the folder already holds.
        join: whether to work on a run together with others.
        shard: the part of the run to score, which is measured once it is merged.
        deadline: seconds that a chunk may take; this process ends if one takes longer.

    Raises:
        RunError: if no folder is named in which to join others, or to leave a shard.
    """
    if out is None and (join != Join.NO or not shard.whole):
        what = "join a run" if shard.whole else "score a shard"
        raise RunError(f"To {what}, name its folder: {option('out')}.")
    if objects is None:
        names = dict.fromkeys(name for match in config.matches for name in match.attacks)
        objects = Objects(blind_attacks() | attacks_of(list(names)))
    if out is None:
        with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
            engine.evaluate(
                config, objects, Path(folder), command=command, progress=progress, tell=tell
            )
            return Run.open(folder).detached()
    found = engine.evaluate(
        config,
        objects,
        Path(out),
        command=command,
        progress=progress,
        tell=tell,
        join=join,
        shard=shard,
        deadline=deadline,
    )
    if not shard.whole:
        return Run(found, SCORES.empty_table(), read_about(Path(out)), Path(out))
    run = Run.open(out)
    run.report()
    return run


def call_of(config: Config, out: str | Path | None) -> str:
    """The call of this function, as Python writes it; objects stand by their names."""
    matches = config.matches
    words = {
        "target": [m.target for m in matches],
        "data": [m.data for m in matches],
        "attacks": list(dict.fromkeys(name for m in matches for name in m.attacks)),
        "reference": [m.reference for m in matches],
        "null": [m.null for m in matches],
        "other_generator": [m.other_generator for m in matches if m.other_generator],
        "shadows": list(dict.fromkeys(name for m in matches for name in m.shadows)),
        "limit": config.limit,
        "generated": config.generated,
        "budget": config.queries,
        "seed": config.seed or None,
        "dtype": config.dtype if config.dtype != AUTO else None,
        "compiled": config.compiled or None,
        "posterior": config.posterior if config.posterior != Posterior.MEAN else None,
        "defence": config.defence,
        "out": None if out is None else str(out),
    }
    given = [f"{name}={value!r}" for name, value in words.items() if value or value == 0]
    said = {match.member_value for match in matches} - {None}
    return f"miagym.evaluate({', '.join([*given, *(f'member_value={one!r}' for one in said)])})"
