"""Lines of work, and the runs of open pages: who waits for whom, and what Stop does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from threading import Event

import pytest

from miagym.app.server.jobs import STARTING, Cancelled, JobQueue, JobStep, Ticket, Work, following
from miagym.app.server.run_button import RunningJobs
from miagym.app.server.turns import MAX_WAITING
from miagym.errors import RateLimitExceeded
from miagym.progress import Progress

SECONDS = 20
"""After which a test has failed."""


def held(until: Event, begun: Event | None = None) -> Callable[[Progress], str]:
    """Work that goes on until it is let go, or is cancelled."""

    def work(progress: Progress) -> str:
        done = progress("holding", 1_000)
        if begun:
            begun.set()
        while not until.wait(0.01):
            done()
        return "let go"

    return work


def said(what: str, client: str = "", order: list[str] | None = None) -> Work[str]:
    """Work that is done at once."""

    def work(progress: Progress) -> str:
        if order is not None:
            order.append(what)
        return what

    return Work(work, client)


def result(ticket: Ticket[str]) -> str:
    return ticket.future.result(SECONDS)


def test_queues_do_not_wait_for_each_other_and_who_waits_is_told_for_how_many() -> None:
    slow, quick, until, begun = JobQueue("slow"), JobQueue("quick"), Event(), Event()
    alone = slow.submit(Work(held(until, begun), "a"))
    assert alone.step.label in (STARTING.label, "holding")
    assert begun.wait(SECONDS)
    assert result(quick.submit(said("answered"))) == "answered"
    second = slow.submit(said("second", "b"))
    assert second.step == JobStep("waiting for 1 other run", 0, 1)
    assert slow.submit(said("third", "c")).step.label == "waiting for 2 other runs"
    until.set()
    assert result(alone) == "let go" and result(second) == "second"


def test_clients_take_turns_and_one_of_many_jobs_is_refused() -> None:
    queue, until, begun, order = JobQueue("test"), Event(), Event(), []
    queue.submit(Work(held(until, begun), "a"))
    assert begun.wait(SECONDS)
    tickets = [queue.submit(said(f"a{i}", "a", order)) for i in range(MAX_WAITING)]
    settled = Event()
    with pytest.raises(RateLimitExceeded, match="You have 4 requests waiting"):
        queue.submit(Work(lambda progress: "fifth", "a", settle=settled.set))
    assert settled.is_set()
    tickets += [queue.submit(said(name, name[0], order)) for name in ("b0", "c0", "b1")]
    assert tickets[-1].step.label == "waiting for 5 other runs"  # a held, a0, c0, b0, a1 or less
    until.set()
    for ticket in tickets:
        result(ticket)
    assert order == ["b0", "c0", "a0", "b1", "a1", "a2", "a3"]


def test_who_stops_following_before_its_turn_takes_the_work_out_of_the_line() -> None:
    queue, until, begun, ran, settled = JobQueue("test"), Event(), Event(), Event(), Event()
    first = queue.submit(Work(held(until, begun)))
    assert begun.wait(SECONDS)
    waiting = queue.submit(Work(lambda progress: ran.set(), settle=settled.set))

    async def follow_once() -> JobStep:
        async with aclosing(following(waiting)) as steps:
            return await anext(steps)

    assert asyncio.run(follow_once()).label == "waiting for 1 other run"
    assert settled.is_set()
    until.set()
    assert result(first) == "let go"
    assert result(queue.submit(said("next"))) == "next" and not ran.is_set()


def test_whoever_follows_a_job_that_is_stopped_is_free_at_once() -> None:
    queue, cancelled, begun = JobQueue("test"), Event(), Event()
    ticket = queue.submit(Work(held(Event(), begun)), cancelled)
    assert begun.wait(SECONDS)
    cancelled.set()

    async def all_steps() -> list[JobStep]:
        return [step async for step in following(ticket)]

    assert asyncio.run(all_steps()) == []
    assert result(queue.submit(said("next"))) == "next"


def test_work_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(RateLimitExceeded, match=r"longer than 0\.001 minutes"):
        result(JobQueue("test").submit(Work(held(Event())), minutes=0.001))


def test_a_job_that_is_cancelled_at_work_is_settled_when_it_has_ended() -> None:
    settled, begun = Event(), Event()
    ticket = JobQueue("test").submit(Work(held(Event(), begun), settle=settled.set))
    assert begun.wait(SECONDS)
    ticket.cancel()
    with pytest.raises(Cancelled):
        result(ticket)
    assert settled.wait(SECONDS)


def test_a_page_has_one_run_at_a_time_and_stops_its_own() -> None:
    runs = RunningJobs()
    with runs.running("a") as of_a, runs.running("b") as of_b:
        with pytest.raises(RateLimitExceeded, match="stop it, or wait"), runs.running("a"):
            pass
        runs.stop("a")
        runs.stop("nobody")
        assert of_a.is_set() and not of_b.is_set()
    with runs.running("a") as again:
        assert not again.is_set()
