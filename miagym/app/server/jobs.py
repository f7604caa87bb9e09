"""Job queues: long work in a thread, reported step by step, that ends soon once it is cancelled."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeVar

from miagym.errors import RateLimitExceeded
from miagym.progress import Progress

T = TypeVar("T")

HEARTBEAT_SECONDS = 0.25
"""After which a step is yielded again, so that whoever waits can stop."""

MAX_MINUTES = 10
"""After which a job is given up, whoever asked for it."""


@dataclass(frozen=True)
class Step:
    """How far a phase of the work is."""

    label: str
    done: int
    total: int


class Cancelled(Exception):
    """Raised in the worker once its job is cancelled."""


class JobQueue:
    """First-in, first-out queue of jobs of one kind, with one worker thread.

    One at a time, since PyTorch spreads over all cores, and what is being stopped may have a chunk
    to end.

    Args:
        name: of its thread.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"miagym-{name}")

    def steps(
        self,
        work: Callable[[Progress], T],
        cancelled: Event | None = None,
        minutes: float = MAX_MINUTES,
    ) -> Generator[Step | T, None, None]:
        """Runs a job; yields how far it is, at least each `HEARTBEAT_SECONDS`, and its result.

        Once it is cancelled, or the generator is closed, the job ends at its next step, and cleans
        up after itself. Only the next job waits for that.

        Args:
            work: takes a `Progress`, which it calls often.
            cancelled: once it is set, the generator ends, and yields no result.
            minutes: when to give up.

        Raises:
            RateLimitExceeded: if it took too long.
        """
        cancelled = Event() if cancelled is None else cancelled
        reported: SimpleQueue[Step] = SimpleQueue()
        future = self._pool.submit(work, _progress(reported, cancelled, minutes))
        try:
            step = Step("waiting for the work before", 0, 1)
            while not future.done():
                yield step
                if cancelled.is_set():
                    return
                try:
                    step = reported.get(timeout=HEARTBEAT_SECONDS)
                except Empty:
                    continue
            if not cancelled.is_set():
                yield future.result()
        finally:
            cancelled.set()
            future.cancel()

    def result_of(self, work: Callable[[Progress], T], minutes: float = MAX_MINUTES) -> T:
        """The result of a job that nobody watches.

        Raises:
            RateLimitExceeded: if it took too long.
        """
        *_, result = self.steps(work, minutes=minutes)
        assert not isinstance(result, Step)
        return result


EVALUATIONS, AUDITS = JobQueue("evaluate"), JobQueue("audit")
"""Of this process, whichever page or program asks. An audit does not wait for an evaluation."""


def _progress(reported: SimpleQueue[Step], cancelled: Event, minutes: float) -> Progress:
    end: list[float] = []

    def check() -> None:
        if cancelled.is_set():
            raise Cancelled
        if time.monotonic() > end[0]:
            raise RateLimitExceeded(
                f"This took longer than {minutes:g} minutes, and was stopped; ask for less, or run "
                "miagym on your own machine."
            )

    def start(label: str, steps: int) -> Callable[[], None]:
        if not end:
            end.append(time.monotonic() + 60 * minutes)
        count = itertools.count(1)

        def done() -> None:
            check()
            reported.put(Step(label, next(count), steps))

        check()
        reported.put(Step(label, 0, steps))
        return done

    return start
