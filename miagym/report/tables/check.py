"""Answers about several pictures as a table."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.checking.answer import Answer
from miagym.checking.unused.result import UnusedFinding
from miagym.report.model import Column, Group, Line, Number, Remarks, Table
from miagym.results.formats import p_text, percent

COLUMNS = (
    Column("Picture"),
    Column("Verdict"),
    Column("p", kind="number"),
    Column("What was done to it", kind="text", is_detail=True),
)


def answers_table(answers: Sequence[Answer]) -> Table:
    """The verdict on each picture."""
    lines = []
    for answer in answers:
        p = answer.p_value
        shown = Number("" if p is None else p_text(p), p)
        lines.append(Line(answer.name, (str(answer.verdict), shown, Remarks(answer.done))))
    return Table("", COLUMNS, (Group("", tuple(lines)),))


def chance_of_alarm(answer: Answer) -> str:
    """How many pictures are called member-like by chance, in a sentence."""
    return (
        f"By chance alone, {percent(answer.power.fpr)} of pictures that were not used are "
        "member-like; the set has an answer of its own."
    )


def unused_table(found: UnusedFinding) -> Table:
    """The verdict on each picture of a check by unused pictures."""
    q_values = found.listed.q_values if found.listed else {}
    lines = []
    for answer in found.pictures:
        p, q = answer.p_value, q_values.get(answer.name)
        shown = [Number("" if one is None else p_text(one), one) for one in (p, q)]
        cells = shown if found.listed else shown[:1]
        lines.append(Line(answer.name, (str(answer.verdict), *cells, Remarks(answer.done))))
    q_column = (Column("q", kind="number"),) if found.listed else ()
    columns = (*COLUMNS[:3], *q_column, COLUMNS[3])
    return Table("", columns, (Group("", tuple(lines)),))
