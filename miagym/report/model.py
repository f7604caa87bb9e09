"""Tables as data: each is built once, and drawn as HTML, on a terminal, in LaTeX or as a frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Literal

from miagym.results.estimate import Interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        name: its heading.
        note: a second line of the heading, such as "[95 % interval]".
        kind: of its cells; numbers stand right, and of these only text is broken into lines.
        is_detail: whether it may be left out where there is little room.
    """

    name: str
    note: str = ""
    kind: Literal["word", "number", "text"] = "word"
    is_detail: bool = False


@dataclass(frozen=True)
class Number:
    """A number as people read it, and as it is.

    Args:
        text: with its interval.
        value: unrounded; None if there is none to give.
        ci: its 95 % interval.
    """

    text: str
    value: float | None
    ci: Interval | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Remarks:
    """Phrases about a row."""

    phrases: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join(self.phrases)


Cell = str | Number | Remarks
MAX_SHORT = 16
"""Characters of a remark that stands in its column; longer ones stand below, as notes."""


@dataclass(frozen=True)
class Line:
    """A line of a table: its name, which is the cell of the first column, and the other cells."""

    name: str
    cells: tuple[Cell, ...]
    is_blind: bool = False


@dataclass(frozen=True)
class Group:
    """Lines that belong together, such as those of one target."""

    label: str
    lines: tuple[Line, ...]
    about: str = ""

    @property
    def heading(self) -> str:
        return f"{self.label}{self.about}"


@dataclass(frozen=True)
class Table:
    """A table in groups of lines.

    Args:
        title: what it shows, in a few words.
        columns: the first one holds the names of the lines.
        groups: in the order in which they are read.
        grouped_by: what a group stands for, as a frame of several names the column of their labels.
    """

    title: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    grouped_by: str = "Group"

    def __bool__(self) -> bool:
        """Whether there is a line in it."""
        return any(group.lines for group in self.groups)

    def without(self, *names: str) -> Table:
        """The same table without some of its columns."""
        kept = [column.name not in names for column in self.columns]

        def some(line: Line) -> Line:
            return replace(line, cells=tuple(compress(line.cells, kept[1:])))

        groups = tuple(replace(g, lines=tuple(map(some, g.lines))) for g in self.groups)
        return replace(self, columns=tuple(compress(self.columns, kept)), groups=groups)

    def noted(self) -> tuple[Table, list[str]]:
        """The same table with long remarks as numbers, and what each number stands for."""
        notes: list[str] = []

        def mark(phrase: str) -> str:
            if len(phrase) <= MAX_SHORT:
                return phrase
            if phrase not in notes:
                notes.append(phrase)
            return f"({notes.index(phrase) + 1})"

        def short(cell: Cell) -> Cell:
            return " ".join(map(mark, cell.phrases)) if isinstance(cell, Remarks) else cell

        def changed(line: Line) -> Line:
            return replace(line, cells=tuple(map(short, line.cells)))

        groups = tuple(replace(g, lines=tuple(map(changed, g.lines))) for g in self.groups)
        return replace(self, groups=groups), [f"({i}) {note}" for i, note in enumerate(notes, 1)]

    def to_frame(self) -> pd.DataFrame:
        """A data frame with a row for each line, numbers unrounded, and the ends of intervals."""
        import pandas as pd

        records = []
        for group in self.groups:
            for line in group.lines:
                record: dict[str, object] = (
                    {self.grouped_by: group.label} if len(self.groups) > 1 else {}
                )
                record[self.columns[0].name] = line.name
                for column, cell in zip(self.columns[1:], line.cells, strict=True):
                    if isinstance(cell, Number):
                        record[column.name] = cell.value
                        if cell.ci is not None:
                            record |= {
                                f"{column.name}, {end}": value
                                for end, value in zip(("low", "high"), cell.ci, strict=True)
                            }
                    else:
                        record[column.name] = None if column.kind == "number" else str(cell)
                records.append(record)
        return pd.DataFrame.from_records(records)
