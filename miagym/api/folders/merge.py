"""`miagym.merge`: the shards of one run, or several runs, measured together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from miagym.api.folders.pooled import PooledRuns, pool_runs
from miagym.api.run import Run
from miagym.api.run_config import run_config
from miagym.evaluation.sharding.pool import config_of, pool
from miagym.evaluation.store import RunFolder
from miagym.progress import Progress, silent


def merge(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Run | PooledRuns:
    """Measures runs together that were scored in folders of their own; nothing is scored again.

    Finished runs that differ in the seed alone, or in the target alone, are pooled: means over
    the runs, with intervals over candidates and runs.

    Shards are made one run. The result is that of a run which was not cut, to the byte where the
    machines compute alike. Targets and data are loaded by the names that they had. Where a shard
    was given objects, their names mean nothing here; `miagym.evaluate` with those objects and this
    `out` then goes on.

    Args:
        runs: folders of all shards of one run, or of several finished runs.
        out: the folder of the whole run, or of what the runs come to.
        progress: shows how far each phase is.
        tell: is told what the folder already holds.

    Raises:
        RunError: if they are not all shards of one run, nor runs that can be pooled, with what
            differs.
    """
    paths = [Path(path) for path in runs]
    if len(paths) > 1 and all(RunFolder(path).finished for path in paths):
        return pool_runs(paths, Path(out))
    about = pool(paths, Path(out), tell)
    return run_config(config_of(about), None, out, about["command"], progress, tell)
