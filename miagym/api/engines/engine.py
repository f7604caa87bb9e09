"""What an engine is, and how its processes are watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from miagym.api.engines.work import EngineWork
from miagym.errors import RunError
from miagym.progress import Progress

POLL = 0.5
"""Seconds after which jobs are looked at again."""

RETRIES = 2
"""Times that each job may be lost and started again, on average."""


class Lost(Exception):
    """Raised for a process that ended without a word: killed, or out of memory."""


class EngineJob(Protocol):
    """A process, here or elsewhere, that works on a run."""

    def ended(self) -> bool:
        """Whether it is over, well or not."""
        ...

    def result(self) -> str | None:
        """What its `Work` returned.

        Raises:
            Lost: if it did not come to that.
        """
        ...

    def stop(self) -> None:
        """Ends it."""
        ...


class Engine(Protocol):
    """Starts processes."""

    def start(self, work: EngineWork, jobs: int) -> list[EngineJob]:
        """Starts so many processes that work on a run."""
        ...

    def close(self) -> None:
        """Ends what was begun to start processes."""
        ...


def watch(
    engine: Engine, work: EngineWork, jobs: int, tell: Callable[[str], None], progress: Progress
) -> None:
    """Starts jobs that work on a run, and again what is lost, until the run is finished.

    Args:
        engine: starts them.
        work: what each of them does.
        jobs: how many.
        tell: is told what was lost.
        progress: shows how many are done.

    Raises:
        RunError: if none of them could finish the run, with what the first one said.
    """
    step, failed, finished, lost = progress("jobs", jobs), [], False, 0
    running = engine.start(work, jobs)
    try:
        while running:
            for job in [job for job in running if job.ended()]:
                running.remove(job)
                try:
                    why = job.result()
                except Lost as error:
                    lost += 1
                    if not finished and lost <= RETRIES * jobs:
                        tell(f"A process was lost ({error}); another takes its place.")
                        running += engine.start(work, 1)
                        continue
                    why = f"{lost} processes were lost, the last one since: {error}"
                if why is None:
                    finished = True
                else:
                    failed.append(why)
                step()
            time.sleep(POLL)
    finally:
        for job in running:
            job.stop()
    if not finished:
        raise RunError(failed[0])
