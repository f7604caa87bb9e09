"""Errors for visitors: a `MiagymError` is shown as its sentence, any other as an apology."""

from __future__ import annotations

import functools
import html
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import ParamSpec, TypeVar

import gradio as gr

from miagym.errors import MiagymError

APOLOGY = (
    "Something went wrong here, and it was not your doing. It was written to the log; try again, "
    "or reload the page."
)
"""What a visitor is told of a fault of ours, of which they shall see nothing else."""

TOAST_SECONDS = None
"""A sentence stays until it is closed."""
P = ParamSpec("P")
T = TypeVar("T")


def page_errors(handler: Callable[P, T]) -> Callable[P, T]:
    """A handler whose `MiagymError` becomes a `gr.Error` on the page.

    It may be a function or a generator, async or not.
    """
    return _said(handler, functools.partial(html.escape, quote=False))


def api_errors(handler: Callable[P, T]) -> Callable[P, T]:
    """The same for programs, which show no HTML."""
    return _said(handler, str)


def _said(handler: Callable[P, T], written: Callable[[str], str]) -> Callable[P, T]:
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def steps(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
            with _saying(written):
                yield from handler(*args, **kwargs)

        return steps  # type: ignore[return-value]

    if inspect.isasyncgenfunction(handler):

        @functools.wraps(handler)
        async def async_steps(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[object]:
            with _saying(written):
                async with aclosing(handler(*args, **kwargs)) as steps:
                    async for one in steps:
                        yield one

        return async_steps  # type: ignore[return-value]

    if inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def async_step(*args: P.args, **kwargs: P.kwargs) -> object:
            with _saying(written):
                return await handler(*args, **kwargs)

        return async_step  # type: ignore[return-value]

    @functools.wraps(handler)
    def step(*args: P.args, **kwargs: P.kwargs) -> T:
        with _saying(written):
            return handler(*args, **kwargs)

    return step


@contextmanager
def _saying(written: Callable[[str], str]) -> Iterator[None]:
    try:
        yield
    except MiagymError as error:
        raise gr.Error(
            written(str(error)), print_exception=False, duration=TOAST_SECONDS
        ) from error
    except gr.Error:
        raise
    except Exception as error:  # Gradio would show its type
        raise gr.Error(APOLOGY, print_exception=True, duration=TOAST_SECONDS) from error
