"""Reporting the progress of long work to a callback."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int], Callable[[], None]]
"""Called with a label and a number of steps; what it returns is called after each step."""


def silent(label: str, steps: int) -> Callable[[], None]:
    """Progress that nobody watches."""
    del label, steps
    return lambda: None
