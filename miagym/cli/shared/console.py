"""What the commands share: the terminal, progress bars, common options."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBar

from miagym.progress import Progress, silent

if TYPE_CHECKING:
    from miagym.api.results import Result

WIDE = 120
"""Columns where there is no terminal to ask, so that no table is cut."""

IN_TERMINAL = sys.stdout is not None and sys.stdout.isatty()
"""Python has no stdout where it is closed."""

console = Console(width=None if IN_TERMINAL else WIDE)

Out = Annotated[Path, typer.Option(help="Folder of the run; an unfinished run in it goes on.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of noise, order and resampling.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")]
MemberValue = Annotated[
    str | None,
    typer.Option(metavar="VALUE", help="The label that means member, 0 say; else 1 or words."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def say(sentence: str) -> None:
    """Prints a sentence as it is, not broken into lines."""
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def print_json(found: object) -> None:
    """Prints what a command found, for a program: numbers as numbers, and no NaN."""
    print(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))


def show(result: Result, as_json: bool) -> None:
    """Prints a result for a person, or as JSON for a program."""
    if as_json:
        print_json(result.as_json())
    else:
        from miagym.report.terminal import print_parts

        print_parts(console, result.parts())


@contextmanager
def progress_bar(*, shown: bool = True) -> Iterator[ProgressBar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with ProgressBar(*columns, console=console, disable=not shown) as bar:
        yield bar


@contextmanager
def progress(*, shown: bool = True) -> Iterator[Progress]:
    """A bar for each phase of the work, or silence for a program that reads JSON."""
    if not shown:
        yield silent
        return
    with progress_bar() as bar:

        def start(label: str, steps: int) -> Callable[[], None]:
            task = bar.add_task(label, total=steps)
            return lambda: bar.advance(task)

        yield start


def steps(bar: ProgressBar) -> Callable[[range, str], Iterable[int]]:
    return lambda steps, label: bar.track(
        steps, total=steps.stop, completed=steps.start, description=label
    )
