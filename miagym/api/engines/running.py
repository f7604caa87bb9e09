"""A run on an engine: from what `miagym.evaluate` was given to the finished run."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import closing

import cloudpickle

from miagym.api.engines.engine import Engine, watch
from miagym.api.engines.work import EngineWork
from miagym.api.run import Run
from miagym.errors import SettingsError, UnknownName, option
from miagym.progress import Progress

ENGINES = ("ray", "slurm")


def run_on(
    name: str, jobs: int | None, work: EngineWork, progress: Progress, tell: Callable[[str], None]
) -> Run:
    """Has several processes, started by an engine, work on one run; returns it finished.

    Args:
        name: of the engine.
        jobs: how many processes.
        work: what each does.
        progress: shows how many jobs are done.
        tell: is told what happens to them.

    Raises:
        UnknownName: for another engine.
        SettingsError: if it is not installed, or something cannot be handed to other processes.
        RunError: if the run could not be finished.
    """
    if name not in ENGINES:
        raise UnknownName("engine", name, ENGINES)
    if jobs is None or jobs < 1:
        raise SettingsError(
            f"Expected how many processes {name} is to start, got {jobs}; say {option('jobs', 8)}, "
            "for 8 GPUs."
        )
    if work.deadline is not None and not work.deadline > 0:
        raise SettingsError(
            f"Expected how many seconds a chunk may take, above 0, got {work.deadline:g}; say "
            f"{option('deadline', 3600)}, for an hour."
        )
    try:
        cloudpickle.dumps(work)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"What was given cannot be handed to other processes ({error}); give targets and data "
            "by their names, and attacks from a module."
        ) from error
    with closing(_engine(name, jobs, work, tell)) as engine:
        watch(engine, work, jobs, tell, progress)
    return Run.open(work.out)


def _engine(name: str, jobs: int, work: EngineWork, tell: Callable[[str], None]) -> Engine:
    if name == "ray":
        from miagym.api.engines.ray_actors import RayEngine

        return RayEngine(jobs, work.config.device)
    from miagym.api.engines.slurm_jobs import SlurmEngine

    return SlurmEngine(work.out.with_name(f"{work.out.name}-jobs"), work.config.device, tell)
