"""A table that draws itself wherever it is shown: as text, in a notebook, in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from miagym.report.html import render
from miagym.report.latex import to_latex
from miagym.report.model import Table
from miagym.report.terminal import as_text


@dataclass(frozen=True)
class PrintedTable(Table):
    """What a caller of the front door gets; it converts, too."""

    @classmethod
    def of(cls, table: Table) -> Self:
        return cls(table.title, table.columns, table.groups)

    def to_latex(self) -> str:
        """LaTeX with booktabs, intervals and blind rows kept."""
        return to_latex(self)

    def _repr_html_(self) -> str:
        return render("result.html", parts=[self])

    def __str__(self) -> str:
        return as_text([self])

    __repr__ = __str__
