"""Where chunks are scored: in threads, side by side, and beside other processes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import torch

from miagym.data.ahead import Ahead, loading_ahead
from miagym.data.dataset import Loaded
from miagym.errors import DataError
from miagym.evaluation.chunk import Chunk, Clock, Job
from miagym.evaluation.experiment import Experiment
from miagym.evaluation.scoring import score_chunk
from miagym.evaluation.store import RunFolder
from miagym.progress import Progress
from miagym.targets.base import Target

POLL = 0.2
"""Seconds after which a process looks again whether others have ended what they hold."""

TOOK_TOO_LONG = 75
"""Exit code of a process whose chunk took longer than it may."""

MAX_WORKERS = 4
"""Each worker keeps the answers of a whole chunk in memory."""


class Workplace:
    """Where chunks are worked on, several side by side, and what came of them is kept."""

    def __init__(
        self, folder: RunFolder, progress: Progress, deadline: float | None = None
    ) -> None:
        self.folder = folder
        self._deadline = deadline
        self.clocks: dict[str, Clock] = {}
        """By chunk, in the order in which they were asked for."""
        self._progress = progress

    def do(
        self, run: Experiment, tasks: list[tuple[Chunk, Job]], *, leave_out: bool = True
    ) -> None:
        """Does each job on its chunk, unless the folder already holds what came of it.

        Chunks that other processes hold are waited for, and done here if those end before.

        Args:
            run: the match.
            tasks: chunks, and what to do with each.
            leave_out: whether an attack that is refused on a chunk is left out of the run.
        """
        if not tasks:
            return
        done = self._progress(f"{run.match.target}: {tasks[0][0].part}", len(tasks))
        by_name = {chunk.name: (chunk, job) for chunk, job in tasks}

        def load(name: str) -> Loaded:
            return run.load(by_name[name][0])

        def is_left(name: str) -> bool:
            return bool(self.folder.missing(name, by_name[name][1].names))

        with (
            chunk_workers(run.target, len(tasks)) as pool,
            loading_ahead(load, list(by_name), is_left) as ahead,
        ):
            left = tasks
            while left:
                waiting = []
                try:
                    for task, ended in zip(
                        left, pool.map(partial(self._do, run, ahead), left), strict=True
                    ):
                        if ended:
                            done()
                        else:
                            waiting.append(task)
                except KeyboardInterrupt:
                    self._progress("stopping after the chunks at work", 1)
                    raise
                if len(waiting) == len(left):
                    time.sleep(POLL)
                left = waiting
        for chunk, _ in tasks:
            self.clocks[chunk.name] = self.folder.clock(chunk.name)
            if leave_out:
                run.leave_out(self.clocks[chunk.name].refused)

    def _do(self, run: Experiment, ahead: Ahead, task: tuple[Chunk, Job]) -> bool:
        """Does a job, unless it is done; False if another process has it in hand."""
        (chunk, job), claims = task, self.folder.claims
        if not self.folder.missing(chunk.name, job.names):
            return True
        if not claims.take(chunk.name):
            return False
        try:
            if names := self.folder.missing(chunk.name, job.names):  # nobody has done it meanwhile
                self.folder.check_same_code()
                with limited(self._deadline, f"{chunk.name} in {self.folder.path}"):
                    made = score_chunk(run, chunk, job, names, ahead.load(chunk.name))
                if not claims.holds(chunk.name):  # given up for dead: whoever took it goes on
                    return False
                self.folder.check_same_code()
                self.folder.write(chunk.name, job.names, *made)
        finally:
            claims.release(chunk.name)
        return True

    @contextmanager
    def only_one(self, name: str) -> Iterator[None]:
        """Context in which only one process is at a time; the others wait."""
        claims = self.folder.claims
        while not claims.take(name):
            time.sleep(POLL)
        try:
            yield
        finally:
            claims.release(name)

    def check_both_sides(self, run: Experiment, chunks: list[Chunk]) -> None:
        """Whether pictures of both sides of a part could be read.

        Raises:
            DataError: if not.
        """
        lost = {row: why for c in chunks for row, why in self.clocks[c.name].unreadable.items()}
        read = [row for chunk in chunks for row in chunk.rows if str(row) not in lost]
        for member, side in ((True, "members"), (False, "non-members")):
            if lost and not (run.data.member[read] == member).any():
                row, why = next(iter(lost.items()))
                raise DataError(
                    f"No picture of the {side} in the {chunks[0].part} part of {run.match.data} "
                    f"can be read; {len(lost)} cannot, among them row {row}: {why}"
                )


@contextmanager
def limited(seconds: float | None, what: str) -> Iterator[None]:
    """Context that ends this process if it is not left in time.

    Nothing less ends a network that hangs, and what a process held that is gone, others take over.
    """

    def end() -> None:
        print(f"{what} took longer than {seconds:g} seconds.", file=sys.stderr, flush=True)
        os._exit(TOOK_TOO_LONG)

    timer = threading.Timer(seconds or 0, end)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def chunk_workers(target: Target, chunks: int = MAX_WORKERS) -> Iterator[ThreadPoolExecutor]:
    """A pool in which chunks of a target are scored; an interrupt drops what has not begun.

    A GPU serves one chunk at a time. On a CPU, a few chunks side by side, on some cores each, beat
    all cores on one small batch, since the networks release Python's lock; what that gains is
    measured by `benchmarks/speed/chunk_workers.py`. Scores do not depend on it.

    Args:
        target: whose.
        chunks: that there are to score; a single one gets all cores.
    """
    cores = torch.get_num_threads()
    workers = min(cores, MAX_WORKERS, chunks) if target.device.type == "cpu" else 1
    share = max(1, cores // workers)
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(cores)
