"""A finished run as the page shows it: the finding, figures, the table, downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from miagym.app.evaluate.figures import legend, page_roc
from miagym.app.evaluate.rows import first_rows, page_table
from miagym.app.figures import captioned
from miagym.app.html import downloads, part, render
from miagym.report.family import AlarmFamily
from miagym.report.figures.budget import budget_figure
from miagym.report.figures.curves import curves_of
from miagym.report.figures.style import styled
from miagym.report.finding import losses
from miagym.report.rows import Groups, by_target
from miagym.report.standing import remark
from miagym.results import AttackRow, AuditRecord
from miagym.results.formats import detection

if TYPE_CHECKING:
    from miagym.api.run import Run

EMPTY = "No run yet: choose attacks and press Run."
MANY = 13
"""Curves from which on only those are drawn that the report shows at first: a page is narrow."""
NO_BUDGETS = "No attack asked more than once."


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows of a run."""

    finding: str
    roc: go.Figure
    legend: str
    budgets: go.Figure
    table: str
    downloads: str
    command: str


def view(found: Run | None, heading: str = "What this run found") -> View:
    """A run, or the place where one will be."""
    if found is None:
        empty = captioned(page_roc([]), EMPTY)
        return View(part("verdict", EMPTY, ""), empty, "", _no_budgets(), "", "", "")
    groups, run = by_target(found.rows), found.results.run
    curves, _ = curves_of(groups, found.scores)
    curves = [curve for curve in curves if curve.shown or len(curves) <= MANY]
    return View(
        render(
            "evaluate/finding.html", heading=heading, clauses=found.finding.split("; "), run=run
        ),
        page_roc(curves),
        legend(curves),
        _budgets(groups),
        render(
            "evaluate/table.html",
            first=first_rows(groups, found.results.audit),
            content=page_table(groups, found.results.audit),
            n_rows=len(found.rows),
            run=run,
            losses=losses(run.unreadable),
        ),
        downloads(
            {
                "results.json": ("application/json", as_json(found)),
                "results.csv": ("text/csv", as_csv(groups, found.results.audit)),
            }
        ),
        found.command,
    )


def as_json(found: Run) -> str:
    """results.json, byte for byte as a run folder holds it."""
    return json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n"


def as_csv(groups: Groups, audits: Sequence[AuditRecord]) -> str:
    """The rows of the table, a line each, numbers in full."""
    family = AlarmFamily([row for group in groups.values() for row in group], audits)
    lines = [_flat(row, group, family) for group in groups.values() for row in group]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]) if lines else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _flat(row: AttackRow, group: Sequence[AttackRow], family: AlarmFamily) -> dict[str, Any]:
    """A row without nesting; empty cells where a rate is not resolvable."""
    found = detection(row)
    about = row.model_dump(
        include={"target", "data", "attack", "access", "n_members", "n_nonmembers"}
    )
    return {
        **about,
        "auc": float(row.auc),
        "auc_low": row.auc_ci[0],
        "auc_high": row.auc_ci[1],
        "tpr_at_1_percent_fpr": float(found.tpr) if found else "",
        "tpr_low": found.ci[0] if found else "",
        "tpr_high": found.ci[1] if found else "",
        "fpr_reached": found.fpr if found else "",
        **row.model_dump(include={"queries", "unet_rows", "protocol", "chosen"}),
        "remark": remark(row, group, family),
    }


def _budgets(groups: Groups) -> go.Figure:
    """What more queries buy; the page writes its label into the corner, beside the first title."""
    figure = budget_figure(groups, stacked=True)
    if figure is None:
        return _no_budgets()
    return figure.update_xaxes(title_font_size=13).update_layout(margin_t=64)


def _no_budgets() -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        xaxis={
            "title": {"text": "queries a candidate", "font_size": 13},
            "type": "log",
            "range": [0, np.log10(16)],
            "tickvals": [1, 2, 4, 8, 16],
        },
        yaxis={"title": {"text": "AUC", "font_size": 13}, "range": [0.37, 1.02]},
    )
    figure.add_hline(y=0.5, line={"color": "#888888", "width": 1, "dash": "dot"})
    return captioned(styled(figure, height=300), NO_BUDGETS)
