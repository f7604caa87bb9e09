"""Lines of work, and the runs of open pages: who waits for whom, and what Stop does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from miagym.app.server.jobs import JobQueue, Step
from miagym.app.server.run_button import RunningJobs
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


def test_lines_do_not_wait_for_each_other_and_one_line_goes_in_order() -> None:
    slow, quick, until = JobQueue("slow"), JobQueue("quick"), Event()
    first = slow.steps(held(until))
    next(first)
    assert quick.result_of(lambda progress: "answered") == "answered"
    second = slow.steps(lambda progress: "second")
    told = [next(second) for _ in range(3)]
    assert told == [Step("waiting for the work before", 0, 1)] * 3
    until.set()
    assert [*first][-1] == "let go" and [*second][-1] == "second"


def test_what_is_unwanted_ends_without_a_result_and_frees_the_line() -> None:
    line, cancelled, begun = JobQueue("test"), Event(), Event()
    steps = line.steps(held(Event(), begun), cancelled)
    next(steps)
    assert begun.wait(SECONDS)
    cancelled.set()
    assert all(isinstance(step, Step) for step in steps)
    assert line.result_of(lambda progress: "next") == "next"


def test_closing_while_waiting_takes_the_work_out_of_the_line() -> None:
    line, until, ran = JobQueue("test"), Event(), Event()
    first = line.steps(held(until))
    next(first)
    waiting = line.steps(lambda progress: ran.set())
    next(waiting)
    waiting.close()
    until.set()
    assert [*first][-1] == "let go"
    assert line.result_of(lambda progress: "next") == "next" and not ran.is_set()


def test_work_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(RateLimitExceeded, match=r"longer than 0\.001 minutes"):
        JobQueue("test").result_of(held(Event()), minutes=0.001)


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
