"""Two runs side by side as tables."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.evaluation.folders.difference import Differs, ScoresDiffer
from miagym.report.model import Column, Group, Line, Number, Table

MAX_SHOWN = 60
"""Characters of a value; longer ones are cut, and whole in the JSON."""


def made_table(made: Sequence[Differs], first: str, second: str) -> Table:
    """What made two runs and differs, a line each."""
    columns = (Column("What differs"), Column(first, kind="text"), Column(second, kind="text"))
    lines = (Line(one.what, (_short(one.first), _short(one.second))) for one in made)
    return Table("What made the runs", columns, (Group("", tuple(lines)),))


def scores_table(scores: Sequence[ScoresDiffer]) -> Table:
    """How far scores lie apart, a line for each attack."""
    names = ("In both", "Only in the first", "Only in the second", "Largest difference")
    columns = (Column("Attack"), *(Column(name, kind="number") for name in names))
    return Table("Scores", columns, (Group("", tuple(map(_line, scores))),))


def _line(row: ScoresDiffer) -> Line:
    counts = (row.both, row.only_first, row.only_second)
    apart = "" if row.largest is None else f"{row.largest:.3g}"
    numbers = tuple(Number(f"{n:,}", n) for n in counts)
    return Line(row.attack, (*numbers, Number(apart, row.largest)))


def _short(value: str) -> str:
    return value if len(value) <= MAX_SHOWN else f"{value[: MAX_SHOWN - 1]}…"
