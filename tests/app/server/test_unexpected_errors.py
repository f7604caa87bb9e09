"""Faults of ours: visitors read an apology that stays, and nothing of what is behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import gradio as gr
import pytest

from miagym.app.play.refusals import Refusals
from miagym.app.server.errors import APOLOGY, api_errors, page_errors
from miagym.app.server.jobs import EVALUATIONS
from miagym.app.server.run_button import ButtonJob, RunAndStop
from miagym.errors import DataError

FAULT = RuntimeError("/srv/models/secret.safetensors")


def broken() -> None:
    raise FAULT


def broken_steps() -> Iterator[int]:
    yield 1
    raise FAULT


async def broken_later() -> None:
    raise FAULT


async def broken_steps_later() -> AsyncIterator[int]:
    yield 1
    raise FAULT


async def _all(steps: AsyncIterator[int]) -> list[int]:
    return [step async for step in steps]


@pytest.mark.parametrize("written", [page_errors, api_errors])
@pytest.mark.parametrize(
    "call",
    [
        lambda written: written(broken)(),
        lambda written: list(written(broken_steps)()),
        lambda written: asyncio.run(written(broken_later)()),
        lambda written: asyncio.run(_all(written(broken_steps_later)())),
    ],
)
def test_a_fault_is_an_apology_and_nothing_of_it_is_shown(written, call) -> None:
    with pytest.raises(gr.Error) as told:
        call(written)
    assert told.value.message == APOLOGY and told.value.duration is None
    assert told.value.print_exception  # whoever runs the page reads it in the log


def test_what_gradio_says_itself_is_left_as_it_is() -> None:
    def refused() -> None:
        raise gr.Error("The queue is full.")

    with pytest.raises(gr.Error, match="queue is full"):
        page_errors(refused)()


def test_a_move_in_the_game_that_failed_says_so_until_the_next() -> None:
    refusals = Refusals()
    with pytest.raises(RuntimeError), refusals.noted("page"):
        raise FAULT
    assert refusals.last("page") == APOLOGY and refusals.last("another") == ""
    with pytest.raises(DataError), refusals.noted("page"):
        raise DataError("There is no such picture.")
    assert refusals.last("page") == "There is no such picture."
    with refusals.noted("page"):
        pass
    assert refusals.last("page") == ""


@pytest.mark.parametrize(
    "fault, said, is_toast",
    [(FAULT, APOLOGY, True), (DataError("No picture."), "No picture.", False)],
)
def test_a_run_that_failed_says_so_where_it_would_be(fault, said, is_toast) -> None:
    def work(_request: object) -> None:
        raise fault

    buttons = RunAndStop(gr.Button(), gr.Button(), gr.HTML())
    job = ButtonJob(EVALUATIONS, work=work, shown=lambda _: (), stopped="")  # pyright: ignore
    steps = page_errors(buttons._steps(job, ()))
    told = []

    async def run() -> None:
        async for step in steps(gr.Request()):  # pyright: ignore
            told.append(step[buttons.status])

    with pytest.raises(gr.Error) as error:
        asyncio.run(run())
    assert said in told[-1] and "progress" not in told[-1]
    assert error.value.visible is is_toast
