"""Imports Gradio without the type stubs that it writes of its components, half of its import.

At each import Gradio parses and renders the source of some eighty components, to keep stubs for
editors up to date. It passes over a component that has no source file, and so are all of them here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_sources(metaclass: str) -> Iterator[None]:
    """Lets classes of a metaclass have no source file, as `inspect.getfile` says it: `OSError`."""
    found = inspect.getfile

    def getfile(thing: object) -> str:
        if type(thing).__name__ == metaclass:
            raise OSError("source code not available")
        return found(thing)  # pyright: ignore[reportArgumentType]

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = found


with _without_sources("ComponentMeta"):
    import gradio as gr  # noqa: F401
