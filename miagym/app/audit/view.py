"""An audit as the page shows it: the verdict in words, a figure, the blind rows, the cues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from miagym.app.figures import captioned
from miagym.app.html import downloads, part, render
from miagym.auditing.verdict import MIN_RELEVANT_AUC, AuditVerdict
from miagym.report.figures.plots import Curve, auc_figure
from miagym.report.figures.roc_panel import FAINT
from miagym.report.figures.style import styled
from miagym.report.tables.audit import audit_remarks, audit_tables
from miagym.results import AuditRecord

EMPTY = "No audit yet: choose a split and press Audit."
MEANS = {
    AuditVerdict.FAIR: "These views saw no difference; a stronger one may. It says nothing about "
    "any model, nor about any one picture.",
    AuditVerdict.SHIFTED: "Members can be told from non-members without a model. A score on this "
    "split is evidence of membership only as far as it clears the blind rows.",
    AuditVerdict.TOO_SMALL: "Nothing was found, and nothing could be ruled out. More rows would "
    "tell.",
}
MARKS = {
    AuditVerdict.FAIR: "fair",
    AuditVerdict.SHIFTED: "error",
    AuditVerdict.TOO_SMALL: "unsure",
}
"""Names of marks and colours, in `static/css/verdict.css` and `templates/parts.html`."""


@dataclass(frozen=True, eq=False)
class AuditShown:
    """What the page shows of audits."""

    verdict: str
    figure: go.Figure
    numbers: str
    downloads: str


def audit_view(audits: Sequence[AuditRecord]) -> AuditShown:
    """One audit, or those of a run; or the place where one will be."""
    if not audits:
        return AuditShown(part("verdict", EMPTY, ""), _figure([]), "", "")
    verdicts = [
        (_heading(a), f"{a.why} {MEANS[verdict]}", MARKS[verdict])
        for a in audits
        for verdict in [AuditVerdict(a.verdict)]
    ]
    named = [(f"{a.data}: " if len(audits) > 1 else "", a) for a in audits]
    contents = [audit.as_json() for audit in audits]
    text = json.dumps(contents[0] if len(contents) == 1 else contents, indent=2, ensure_ascii=False)
    return AuditShown(
        render("audit/verdicts.html", verdicts=verdicts),
        _figure(audits),
        render(
            "audit/numbers.html",
            tables=list(audit_tables(audits)),
            remarks=[f"{name}{remark}" for name, audit in named for remark in audit_remarks(audit)],
        ),
        downloads({"audit.json": ("application/json", f"{text}\n")}),
    )


def _heading(audit: AuditRecord) -> str:
    tail = " to tell" if audit.verdict == AuditVerdict.TOO_SMALL else ""
    return f"{audit.data}: {audit.verdict}{tail}"


def _figure(audits: Sequence[AuditRecord]) -> go.Figure:
    curves = [
        Curve(audit.data, row.view, "blind", row.auc, row.auc_ci, shown=True)
        for audit in audits
        for row in audit.blind
    ]
    if not curves:
        figure = go.Figure(layout={"xaxis": {"title": "AUC", "range": [0.4, 1]}})
        figure.add_vline(x=0.5, line={"color": FAINT, "width": 1, "dash": "dot"})
        figure.update_yaxes(visible=False)
        return captioned(styled(figure, height=220), EMPTY if not audits else "Too few rows.")
    figure = auc_figure(curves)
    figure.add_vline(x=MIN_RELEVANT_AUC, line={"color": FAINT, "width": 1, "dash": "dash"})
    # The page writes its label into the corner, beside the title of the first panel.
    figure.update_xaxes(title_font_size=13, title_standoff=8)
    return figure.update_layout(margin_t=64, height=figure.layout.height + 24)  # pyright: ignore
