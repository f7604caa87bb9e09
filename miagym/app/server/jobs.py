"""Long work in a thread of its own, told step by step, which ends soon once nobody wants it."""

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

HEARTBEAT = 0.25
"""Seconds after which a step is told again, so that whoever waits can stop."""

MINUTES = 10
"""After which work is given up, whoever asked for it."""


@dataclass(frozen=True)
class Step:
    """How far a phase of the work is."""

    label: str
    done: int
    total: int


class Unwanted(Exception):
    """Nobody waits for the work any more. Not an error: it ends the thread."""


class Line:
    """Work of one kind, done one after the other, in the order in which it was asked for.

    One at a time, since PyTorch spreads over all cores, and what is being stopped may have a chunk
    to end.

    Args:
        name: of its thread.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"miagym-{name}")

    def in_steps(
        self,
        work: Callable[[Progress], T],
        unwanted: Event | None = None,
        minutes: float = MINUTES,
    ) -> Generator[Step | T, None, None]:
        """Does work in the thread; yields how far it is, each `HEARTBEAT` at least, and its result.

        Once it is unwanted, or the generator is closed, the work ends at its next step, and cleans
        up after itself. Nobody but the work that comes next waits for that.

        Args:
            work: takes a `Progress`, which it calls often.
            unwanted: once it is set, the generator ends, and yields no result.
            minutes: when to give up.

        Raises:
            RateLimitExceeded: if it took too long.
        """
        unwanted = Event() if unwanted is None else unwanted
        told: SimpleQueue[Step] = SimpleQueue()
        future = self._pool.submit(work, _told_to(told, unwanted, minutes))
        try:
            step = Step("waiting for the work before", 0, 1)
            while not future.done():
                yield step
                if unwanted.is_set():
                    return
                try:
                    step = told.get(timeout=HEARTBEAT)
                except Empty:
                    continue
            if not unwanted.is_set():
                yield future.result()
        finally:
            unwanted.set()
            future.cancel()

    def result_of(self, work: Callable[[Progress], T], minutes: float = MINUTES) -> T:
        """The same without a watcher.

        Raises:
            RateLimitExceeded: if it took too long.
        """
        *_, result = self.in_steps(work, minutes=minutes)
        assert not isinstance(result, Step)
        return result


EVALUATIONS, AUDITS = Line("evaluate"), Line("audit")
"""Of this process, whichever page or program asks. An audit does not wait for an evaluation."""


def _told_to(told: SimpleQueue[Step], unwanted: Event, minutes: float) -> Progress:
    end: list[float] = []

    def check() -> None:
        if unwanted.is_set():
            raise Unwanted
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
            told.put(Step(label, next(count), steps))

        check()
        told.put(Step(label, 0, steps))
        return done

    return start
