"""The rows of a run as the page lists them: few columns, and the three that matter first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from miagym.report.family import AlarmFamily
from miagym.report.model import Column, Group, Line, Number, Remarks, Table
from miagym.report.rows import Groups, asking_rows, blind_rows, strength
from miagym.report.standing import remarks
from miagym.report.tables.evaluation import ATTACK, AUC, detected_share, measured, number
from miagym.results import AttackRow, AuditRecord
from miagym.results.formats import count

N_FIRST = 3
"""Rows that are not folded."""
COLUMNS = (
    ATTACK,
    measured("TPR at 1 % FPR"),
    AUC,
    Column("Remark", kind="text"),
    Column("Cost", note="a picture", kind="number"),
)


def page_table(groups: Groups, audits: Sequence[AuditRecord]) -> Table:
    """All rows, by target."""
    family = AlarmFamily([row for group in groups.values() for row in group], audits)
    bodies = [
        Group(label, tuple(_line(row.attack, row, group, family) for row in group))
        for label, group in groups.items()
    ]
    return Table("All attacks", COLUMNS, tuple(bodies))


def first_rows(groups: Groups, audits: Sequence[AuditRecord]) -> Table:
    """The strongest attack of each target, what blind rows reach, and then the next strongest."""
    family = AlarmFamily([row for group in groups.values() for row in group], audits)
    several = len(groups) > 1
    ranked = {
        label: [sorted(kind(group), key=strength)[::-1] for kind in (asking_rows, blind_rows)]
        for label, group in groups.items()
    }
    best = [(label, row) for label, (asking, _) in ranked.items() for row in asking[:1]]
    blind = [(label, row) for label, (_, blind) in ranked.items() for row in blind[:1]]
    others = [(label, row) for label, (asking, _) in ranked.items() for row in asking[1:]]
    chosen = [*best[: N_FIRST - 1], *others[: max(0, N_FIRST - 1 - len(best))], *blind[:1]]
    lines = [
        _line(f"{row.attack} on {label}" if several else row.attack, row, groups[label], family)
        for label, row in islice(chosen, N_FIRST)
    ]
    return Table("The strongest attacks, beside a blind one", COLUMNS, (Group("", tuple(lines)),))


def _line(name: str, row: AttackRow, group: Sequence[AttackRow], family: AlarmFamily) -> Line:
    spent = row.unet_rows
    cells = (
        detected_share(row),
        number(row.auc, row.auc_ci),
        Remarks(remarks(row, group, family)),
        Number("" if spent is None else count(spent), spent),
    )
    return Line(name, cells, row.blind)
