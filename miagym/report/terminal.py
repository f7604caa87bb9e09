"""Tables and sentences on the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from miagym.report.model import Column, Group, Table

WIDTH = 140
"""Columns of a table as text."""


def as_text(parts: Iterable[Table | str]) -> str:
    """Tables and sentences as plain text."""
    text = io.StringIO()
    print_parts(Console(file=text, width=WIDTH, color_system=None), parts)
    return text.getvalue()


def print_parts(console: Console, parts: Iterable[Table | str]) -> None:
    """Prints tables as wide as the console, and each sentence on a line of its own."""
    for part in parts:
        is_sentence = isinstance(part, str)
        console.print(Text(part) if is_sentence else Drawn(part), soft_wrap=is_sentence)


@dataclass(frozen=True)
class Drawn:
    """A table as wide as the terminal: details go first, then numbers break before intervals."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table, notes = self.table.noted()
        while not _fits(table, console, options) and (name := _widest_detail(table)):
            table = table.without(name)
        fits = _fits(table, console, options)
        if table.title:
            yield Text(table.title, style="bold")
        for group in table.groups:
            yield _drawn(table.columns, group, breaks=not fits)
        yield from (Text(note) for note in notes)
        if notes:
            yield ""


def _fits(table: Table, console: Console, options: ConsoleOptions) -> bool:
    drawn = (_drawn(table.columns, group, breaks=False) for group in table.groups)
    needs = (Measurement.get(console, options.update(max_width=9999), one) for one in drawn)
    return max((need.maximum for need in needs), default=0) <= options.max_width


def _widest_detail(table: Table) -> str | None:
    """The column of details that takes most room."""
    widths = {
        column.name: max((len(str(cells[i])) for cells in _cells(table)), default=0)
        for i, column in enumerate(table.columns[1:])
        if column.is_detail
    }
    return max(widths, key=lambda name: widths[name], default=None)


def _cells(table: Table) -> Iterator[tuple[object, ...]]:
    return (line.cells for group in table.groups for line in group.lines)


def _drawn(columns: tuple[Column, ...], group: Group, *, breaks: bool) -> RichTable:
    table = RichTable(
        title=Text(group.heading) if group.heading else None,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 0 if breaks else 1),
    )
    cells = [*zip(*((line.name, *line.cells) for line in group.lines), strict=True)]
    for column, below in zip(columns, cells or [()] * len(columns), strict=True):
        is_number = column.kind == "number"
        heading = f"{column.name}\n{column.note}".strip()
        words = " ".join([heading, *map(str, below)]).split()
        table.add_column(
            Text(heading),
            justify="right" if is_number else "left",
            no_wrap=is_number and not breaks,
            min_width=max(map(len, words)) if is_number else None,
            overflow="fold",
        )
    for line in group.lines:
        table.add_row(*(Text(str(cell)) for cell in (line.name, *line.cells)))
    return table
