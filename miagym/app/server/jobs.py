"""Job queues: long work in a thread, reported step by step, that ends soon once it is cancelled."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

from miagym.app.server.turns import MAX_WAITING, Turns, check_waiting
from miagym.errors import RateLimitExceeded
from miagym.progress import Progress

T = TypeVar("T")

HEARTBEAT_SECONDS = 0.25
"""After which a step is yielded again, so that whoever waits can stop."""

MAX_MINUTES = 10
"""After which a job is given up, whoever asked for it."""


@dataclass(frozen=True)
class JobStep:
    """How far a phase of the work is."""

    label: str
    done: int
    total: int


STARTING = JobStep("starting", 0, 1)


class Cancelled(Exception):
    """Raised in the worker once its job is cancelled."""


@dataclass(frozen=True)
class Work(Generic[T]):
    """What is to be done, and for whom.

    Args:
        do: takes a `Progress`, which it calls often.
        client: in whose turn it is done.
        max_waiting: how many jobs its client may have waiting; None for no limit.
        settle: called once it has ended, however, or will never begin.
    """

    do: Callable[[Progress], T]
    client: str = ""
    max_waiting: int | None = MAX_WAITING
    settle: Callable[[], None] = lambda: None


@dataclass(eq=False)
class Ticket(Generic[T]):
    """A job in a queue, held by whoever waits for it."""

    work: Work[T]
    minutes: float
    cancelled: Event
    future: Future[T] = field(default_factory=Future)
    reported: JobStep | None = None
    ahead: Callable[[], int] = lambda: 0

    @property
    def step(self) -> JobStep:
        """How far it is, or how many go first."""
        if self.reported is not None:
            return self.reported
        ahead = self.ahead()
        if not ahead:
            return STARTING
        return JobStep(f"waiting for {ahead} other run{'s' if ahead > 1 else ''}", 0, 1)

    def cancel(self) -> None:
        """Ends it at its next step, or before it begins."""
        self.cancelled.set()
        self.future.cancel()


class JobQueue:
    """Queue of jobs of one kind, with one worker thread; clients take turns.

    One at a time, since PyTorch spreads over all cores, and what is being stopped may have a chunk
    to end.

    Args:
        name: of its thread.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"miagym-{name}")
        self._waiting: list[Ticket] = []
        self._running: Ticket | None = None
        self._turns, self._lock = Turns(), Lock()

    def submit(
        self, work: Work[T], cancelled: Event | None = None, minutes: float = MAX_MINUTES
    ) -> Ticket[T]:
        """Lets a job wait for its turn.

        Args:
            work: what is to be done; settled here if it is refused.
            cancelled: once it is set, the job ends.
            minutes: when to give up.

        Raises:
            RateLimitExceeded: if its client has as many waiting as it may.
        """
        ticket = Ticket(work, minutes, Event() if cancelled is None else cancelled)
        ticket.ahead = lambda: self._ahead(ticket)
        ticket.future.add_done_callback(lambda _: work.settle())
        with self._lock:
            self._waiting = [one for one in self._waiting if not one.future.cancelled()]
            waiting = [one.work.client for one in self._waiting]
            try:
                check_waiting(work.client, waiting, work.max_waiting)
            except RateLimitExceeded:
                ticket.cancel()
                raise
            self._waiting.append(ticket)
        self._pool.submit(self._work_on_next)
        return ticket

    def _ahead(self, ticket: Ticket) -> int:
        """How many go first, at most: each other client may have as many turns as this one."""
        with self._lock:
            waiting = [one for one in self._waiting if not one.future.cancelled()]
            if ticket not in waiting:
                return 0
            mine = [one for one in waiting if one.work.client == ticket.work.client]
            before = mine.index(ticket)
            others = Counter(one.work.client for one in waiting)
            del others[ticket.work.client]
            turns = sum(min(count, before + 1) for count in others.values())
            return turns + before + (self._running is not None)

    def _work_on_next(self) -> None:
        with self._lock:
            self._waiting = [one for one in self._waiting if not one.future.cancelled()]
            if not self._waiting:
                return
            chosen = self._turns.first([one.work.client for one in self._waiting])
            ticket = self._running = self._waiting.pop(chosen)
            self._turns.serve(ticket.work.client)
        try:
            if ticket.future.set_running_or_notify_cancel():
                _run(ticket)
        finally:
            with self._lock:
                self._running = None


async def following(ticket: Ticket[T]) -> AsyncGenerator[JobStep, None]:
    """How far a job is, each `HEARTBEAT_SECONDS`, until it has ended or is cancelled.

    It takes no thread, so that any number can wait. Nobody follows any more: then it is cancelled.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    ticket.future.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    try:
        while not ticket.future.done() and not ticket.cancelled.is_set():
            yield ticket.step
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), HEARTBEAT_SECONDS)
    finally:
        if not ticket.future.done():
            ticket.cancel()


async def result_of(queue: JobQueue, work: Work[T]) -> T:
    """The result of a job that nobody watches.

    Raises:
        MiagymError: whatever the job raises, or `JobQueue.submit`.
    """
    ticket = queue.submit(work)
    async with aclosing(following(ticket)) as steps:
        async for _ in steps:
            pass
    return ticket.future.result()


EVALUATIONS, AUDITS = JobQueue("evaluate"), JobQueue("audit")
"""Of this process, whichever page or program asks. An audit does not wait for an evaluation."""


def _run(ticket: Ticket) -> None:
    try:
        result = ticket.work.do(_progress(ticket))
    except BaseException as error:
        ticket.future.set_exception(error)
    else:
        ticket.future.set_result(result)


def _progress(ticket: Ticket) -> Progress:
    end = time.monotonic() + 60 * ticket.minutes

    def check() -> None:
        if ticket.cancelled.is_set():
            raise Cancelled
        if time.monotonic() > end:
            raise RateLimitExceeded(
                f"This took longer than {ticket.minutes:g} minutes, and was stopped; ask for less, "
                "or run miagym on your own machine."
            )

    def start(label: str, steps: int) -> Callable[[], None]:
        count = itertools.count(1)

        def done() -> None:
            check()
            ticket.reported = JobStep(label, next(count), steps)

        check()
        ticket.reported = JobStep(label, 0, steps)
        return done

    return start
