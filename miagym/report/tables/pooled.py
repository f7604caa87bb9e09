"""Several runs pooled, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from miagym.report.model import Column, Group, Line, Number, Table
from miagym.report.tables.evaluation import ATTACK, AUC, measured, number, share

if TYPE_CHECKING:
    from miagym.api.folders.pooled import PooledRow


def pooled_table(rows: Sequence[PooledRow], over: str) -> Table:
    """Means over runs, and how far the runs lie apart, a line for each attack."""
    spread = Column(f"SD of the AUC between {over}", kind="number")
    columns = (ATTACK, Column("Access"), AUC, spread, measured("TPR at 1 % FPR"))
    return Table(f"Mean over {over}", columns, (Group("", tuple(map(_line, rows))),))


def _line(row: PooledRow) -> Line:
    auc, tpr = row.auc, row.tpr
    found = Number("not resolvable", None) if tpr is None else share(tpr.mean, tpr.ci)
    apart = Number(f"{auc.spread:.3f}", auc.spread)
    cells = (row.access, number(auc.mean, auc.ci), apart, found)
    return Line(row.attack, cells, row.access == "blind")
