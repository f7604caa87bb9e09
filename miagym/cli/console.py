"""What the commands share: the terminal, progress bars, common options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from miagym.errors import DataError

WIDE = 120
"""Columns where there is no terminal to ask, so that no table is cut."""

IN_TERMINAL = sys.stdout is not None and sys.stdout.isatty()
"""Python has no stdout where it is closed."""

console = Console(width=None if IN_TERMINAL else WIDE)

Out = Annotated[Path, typer.Option(help="Folder of the run; an unfinished run in it goes on.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of noise, order and resampling.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def attacks_named(attacks: str) -> tuple[str, ...]:
    """The names in a value of --attacks, each once.

    Raises:
        DataError: if there are none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in attacks.split(",") if name.strip()))
    if not names:
        raise DataError("--attacks names no attack; `miagym attacks` lists them.")
    return names


@contextmanager
def progress_bar() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as bar:
        yield bar


def phases(bar: Progress) -> Callable[[str, int], Callable[[], None]]:
    def start(label: str, steps: int) -> Callable[[], None]:
        task = bar.add_task(label, total=steps)
        return lambda: bar.advance(task)

    return start


def steps(bar: Progress) -> Callable[[range, str], Iterable[int]]:
    return lambda steps, label: bar.track(
        steps, total=steps.stop, completed=steps.start, description=label
    )
