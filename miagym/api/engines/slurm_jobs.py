"""SLURM, through submitit: one array of jobs, which are queued again when they are preempted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.api.engines.engine import EngineJob, Lost
from miagym.api.engines.extras import imported
from miagym.api.engines.work import EngineWork

MINUTES = 24 * 60
"""Of a job, unless SBATCH_TIMELIMIT says otherwise; whoever is stopped by it is queued again."""


class SlurmEngine:
    """Jobs of SLURM; where there is none, processes of this machine.

    What sbatch is to be told besides (partition, account, time) it takes from SBATCH_PARTITION and
    its like.

    Args:
        folder: of submitit's own files, which all machines must see.
        device: each job asks for a GPU unless this is "cpu".
        tell: is told where the jobs run.

    Raises:
        SettingsError: if submitit is not installed.
    """

    def __init__(self, folder: Path, device: str, tell: Callable[[str], None]) -> None:
        submitit = imported("submitit", "slurm")
        there = shutil.which("sbatch") is not None
        if not there:
            tell("There is no sbatch here, so that the jobs run on this machine, without a GPU.")
        self._executor = submitit.AutoExecutor(folder, cluster="slurm" if there else "local")
        self._executor.update_parameters(
            name="miagym", timeout_min=MINUTES, gpus_per_node=int(there and device != "cpu")
        )

    def start(self, work: EngineWork, jobs: int) -> list[EngineJob]:
        with self._executor.batch():
            submitted = [self._executor.submit(Requeued(work)) for _ in range(jobs)]
        return [SlurmJob(job) for job in submitted]

    def close(self) -> None:
        """Its files stay: they hold what the jobs have said."""


@dataclass(frozen=True)
class Requeued:
    """Work that submitit queues again, as it is, when time is up: what is scored is kept."""

    work: EngineWork

    def __call__(self) -> str | None:
        return self.work()

    def checkpoint(self) -> Any:
        return imported("submitit.helpers", "slurm").DelayedSubmission(self)


@dataclass(frozen=True)
class SlurmJob:
    """A job of submitit."""

    job: Any

    def ended(self) -> bool:
        return self.job.done()

    def result(self) -> str | None:
        if (error := self.job.exception()) is not None:
            *_, last = str(error).strip().splitlines() or [type(error).__name__]
            last = last.strip().rstrip(".")
            raise Lost(f"job {self.job.job_id}: {last}; see {self.job.paths.stderr}")
        return self.job.result()

    def stop(self) -> None:
        self.job.cancel()
