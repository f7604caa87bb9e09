"""How many of its own pictures a target's attacks would call members, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from miagym.report.model import Column, Line, Number, Table
from miagym.report.tables.evaluation import ATTACK
from miagym.report.tables.statistics import grouped
from miagym.results import GeneratedShare

TITLE = "Pictures that the target itself generated, and that were in no training: called members"
KINDS = {"balanced": "best balanced accuracy", "0.01": "1 % FPR"}


def generated_table(shares: Sequence[GeneratedShare]) -> Table:
    """Shares of generated pictures above thresholds that were fixed on the calibration part."""
    columns = (ATTACK, Column("Threshold"), Column("Pictures", kind="number"))
    columns = (*columns, Column("Called members", "[95 %]", "number"))
    return Table(TITLE, columns, grouped(shares, _lines))


def _lines(shares: Sequence[GeneratedShare]) -> Iterable[Line]:
    for share in shares:
        low, high = (100 * end for end in share.ci)
        text = f"{100 * share.share:.1f} % [{low:.1f}–{high:.1f}]"
        cells = (KINDS[share.at], Number(str(share.n), share.n), Number(text, share.share))
        yield Line(share.attack, cells)
