"""`miagym.merge`: the shards of one run, measured together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from miagym.api.run import Run
from miagym.api.run_config import run_config
from miagym.evaluation.sharding.pool import config_of, pool
from miagym.progress import Progress, silent


def merge(
    shards: Sequence[str | Path],
    out: str | Path,
    *,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Run:
    """Measures a run whose shards were scored in folders of their own; nothing is scored again.

    The result is that of a run which was not cut, to the byte where the machines compute alike.
    Targets and data are loaded by the names that they had. Where a shard was given objects, their
    names mean nothing here; `miagym.evaluate` with those objects and this `out` then goes on.

    Args:
        shards: folders of all shards of one run.
        out: the folder of the whole run.
        progress: shows how far each phase is.
        tell: is told what the folder already holds.

    Raises:
        RunError: if they are not all shards of one run, with what differs.
    """
    about = pool([Path(path) for path in shards], Path(out), tell)
    return run_config(config_of(about), None, out, about["command"], progress, tell)
