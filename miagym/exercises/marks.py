"""Marks of a class, as a CSV file and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from miagym.atomic import replacing
from miagym.exercises.classroom import Mark
from miagym.exercises.registry import EXERCISES
from miagym.report.model import Column, Group, Line, Table

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet runs, if the text of a cell begins with it."""


@contextmanager
def marks_file(path: Path) -> Iterator[list[Mark]]:
    """Context of a list of marks, which is written whole once the block ends well.

    Raises:
        OSError: if it cannot be written, before anybody is graded.
    """
    with replacing(path) as partial:
        partial.touch()
        marks: list[Mark] = []
        yield marks
        # The mark at the beginning tells spreadsheets that it is UTF-8.
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(field.name for field in fields(Mark))
            rows.writerows(map(_row, marks))


def table(marks: Iterable[Mark]) -> Table:
    """A line for each file."""
    lines = tuple(
        Line(
            mark.student,
            (
                str(mark.exercise or "–"),
                f"{mark.solved} of {mark.total}" if mark.total else "–",
                f"{mark.seconds:.0f}",
                " ".join(filter(None, (mark.error, mark.note))),
            ),
        )
        for mark in marks
    )
    columns = (
        Column("Student"),
        Column("Exercise", kind="number"),
        Column("Solved", kind="number"),
        Column("Seconds", kind="number"),
        Column("Remark", kind="text"),
    )
    return Table("Marks", columns, (Group("", lines),))


def summary(marks: list[Mark]) -> Iterator[str]:
    """Sentences on the class: each exercise, and what does not run."""
    for number, exercise in EXERCISES.items():
        of_it = [mark for mark in marks if mark.exercise == number]
        if of_it:
            solved, total = sum(m.solved for m in of_it), sum(m.total or 0 for m in of_it)
            yield (
                f"Exercise {number}, {exercise.title}: {_files(len(of_it))}, "
                f"{sum(mark.passed for mark in of_it)} solved whole, {solved / total:.0%} of tasks."
            )
    failed = sum(mark.error is not None for mark in marks)
    students = len({mark.student for mark in marks})
    yield (
        f"{_files(len(marks))} of {students} {'student' if students == 1 else 'students'}; "
        f"{failed} with an error."
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _row(mark: Mark) -> list[str | int]:
    cells = mark.as_json().values()
    return [
        "" if cell is None else _harmless(cell) if isinstance(cell, str) else cell for cell in cells
    ]


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
