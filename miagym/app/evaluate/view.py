"""A finished run as the page shows it: the finding, figures, the table, downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from miagym.app.evaluate.service import Finished
from miagym.app.parts import captioned, downloads, numbers, verdict
from miagym.report.curves import curves_of
from miagym.report.data import doubts_list, skipped_list, unreadable_list
from miagym.report.figures.budget import budget_figure
from miagym.report.figures.plots import Curve
from miagym.report.figures.roc import roc_figure
from miagym.report.finding import finding
from miagym.report.rows import ALPHA, Row, by_target
from miagym.report.standing import remark
from miagym.report.style import styled
from miagym.report.tables import main_table, safe

NOTE = """<p class="small">Brackets hold 95&nbsp;% intervals. The best attack is picked by these
same test scores, which flatters it a little. Blind rows never ask the model: what they find, the
split gives away. An attack is above blind only where its whole interval is, and where that would be
a surprise as one of all that were tried.</p>"""
EMPTY = "No run yet: choose attacks and press Run."
MANY = 13
"""Curves from which on only those are drawn that the report shows at first: a page is narrow."""
NO_BUDGETS = "No attack of this run asks more than once."


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows of a run."""

    finding: str
    roc: go.Figure
    budgets: go.Figure
    table: str
    downloads: str
    command: str


def view(found: Finished | None, heading: str = "What this run found") -> View:
    """A run, or the place where one will be."""
    if found is None:
        empty = captioned(_roc([]), EMPTY)
        return View(verdict(EMPTY, ""), empty, _no_budgets(), "", "", "")
    rows: Sequence[Row] = found.results["rows"]
    about = found.results.get("run", {})
    groups = by_target(rows)
    curves, _ = curves_of(groups, found.scores)
    lists = skipped_list(about.get("skipped", ())) + unreadable_list(about.get("unreadable", ()))
    return View(
        verdict(heading, finding(rows)) + doubts_list(about.get("doubts", ())),
        _roc([curve for curve in curves if curve.shown or len(curves) <= MANY]),
        budget_figure(groups) or _no_budgets(),
        numbers(main_table(groups, variants=False), "All attacks", wide=True) + NOTE + lists,
        downloads(
            {
                "results.json": ("application/json", as_json(found.results)),
                "results.csv": ("text/csv", as_csv(groups)),
            }
        ),
        found.command,
    )


def as_json(results: Mapping[str, Any]) -> str:
    """results.json, byte for byte as a run folder holds it."""
    return json.dumps(results, indent=2, ensure_ascii=False) + "\n"


def as_csv(groups: Mapping[str, Sequence[Row]]) -> str:
    """The rows of the table, a line each, numbers in full."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(_flat({}, [])), lineterminator="\n")
    writer.writeheader()
    for group in groups.values():
        writer.writerows(_flat(row, group) for row in group)
    return text.getvalue()


def _flat(row: Row, group: Sequence[Row]) -> dict[str, Any]:
    """A row without nesting; empty cells where a rate is not resolvable."""
    found = row.get("tpr_at_fpr", {}).get(ALPHA) or {}
    plain = ("target", "data", "attack", "access", "n_members", "n_nonmembers", "auc")
    low, high = row.get("auc_ci", ("", ""))
    tpr_low, tpr_high = found.get("ci", ("", ""))
    return {
        **{name: row.get(name) for name in plain},
        "auc_low": low,
        "auc_high": high,
        "tpr_at_1_percent_fpr": found.get("tpr", ""),
        "tpr_low": tpr_low,
        "tpr_high": tpr_high,
        "fpr_reached": found.get("fpr", ""),
        **{name: row.get(name) for name in ("queries", "unet_rows", "protocol", "chosen")},
        "remark": remark(row, group) if row else None,
    }


def _roc(curves: Sequence[Curve]) -> go.Figure:
    # The title would announce rates, which stand in the table; small names fit on a phone.
    return roc_figure(curves).update_layout(legend={"title": {"text": ""}, "font": {"size": 10}})


def _no_budgets() -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        xaxis={
            "title": "queries a candidate",
            "type": "log",
            "range": [0, np.log10(16)],
            "tickvals": [1, 2, 4, 8, 16],
        },
        yaxis={"title": "AUC", "range": [0.4, 1]},
    )
    figure.add_hline(y=0.5, line={"color": "#888888", "width": 1, "dash": "dot"})
    return captioned(styled(figure, height=300), safe(NO_BUDGETS))
