"""The rows of a run with their scores, as the figures take them, and which are seen at first."""

from __future__ import annotations

import pyarrow as pa

from miagym.report.figures.plots import Curve
from miagym.report.figures.roc_panel import sides_of
from miagym.report.rows import Groups, asking_rows, blind_rows, held_out, strongest
from miagym.results import AttackRow


def curves_of(groups: Groups, scores: pa.Table) -> tuple[list[Curve], list[Curve]]:
    """A curve for each row, and those of the best attack on each target, if it has scores.

    Seen at first are the best attack, the strongest blind row and the best of each access level.

    Args:
        groups: rows by target, as `rows.by_target` gives them.
        scores: the test part, as `page.write_report` takes it.
    """
    curves: list[Curve] = []
    winners: list[Curve] = []
    for label, group in groups.items():
        models = held_out(asking_rows(group))
        best = strongest(models) or strongest(group)
        by_access = (
            [r for r in models if r.access == level] for level in ("black", "grey", "white")
        )
        shown = [best, strongest(blind_rows(group)), *map(strongest, by_access)]
        for row in group:
            curves.append(_curve(label, row, scores, shown=any(row is other for other in shown)))
            if row is best and curves[-1].sides:
                winners.append(curves[-1])
    return curves, winners


def _curve(label: str, row: AttackRow, scores: pa.Table, shown: bool) -> Curve:
    return Curve(
        target=label,
        attack=row.attack,
        access=row.access,
        auc=row.auc,
        auc_ci=row.auc_ci,
        shown=shown,
        sides=sides_of(row, scores),
    )
