"""An audit as the page shows it: the verdict in words, a figure, the blind rows, the cues."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from miagym.app.parts import captioned, downloads, numbers, verdict
from miagym.auditing.verdict import MIN_RELEVANT_AUC, AuditVerdict
from miagym.report.figures.plots import Curve, auc_figure
from miagym.report.figures.roc_panel import FAINT
from miagym.report.finding import interval, percent, unresolved
from miagym.report.rows import ALPHA
from miagym.report.style import styled
from miagym.report.tables import WITH_INTERVAL, line, safe, table

Told = Mapping[str, Any]
"""An audit as `Audit.as_json` writes it, and results.json keeps it."""

EMPTY = "No audit yet: choose a split and press Audit."
MEANS = {
    AuditVerdict.FAIR: "These views saw no difference; a stronger one may. It says nothing about "
    "any model, nor about any one picture.",
    AuditVerdict.SHIFTED: "Members can be told from non-members without a model. A score on this "
    "split is evidence of membership only as far as it clears the blind rows.",
    AuditVerdict.TOO_SMALL: "Nothing was found, and nothing could be ruled out. More rows would tell.",
}
NOTE = """<p class="small">Brackets hold 95&nbsp;% intervals. p: how often any test of the audit is
as extreme in a split that is fair. In the figure, the dotted line is guessing, and from the dashed
one a shift matters. AUC of a cue: of &ldquo;member if more of it&rdquo;, so that 0.3
tells as much as 0.7.</p>"""


@dataclass(frozen=True, eq=False)
class AuditView:
    """What the page shows of audits."""

    verdict: str
    figure: go.Figure
    numbers: str
    downloads: str


def audit_view(audits: Sequence[Told]) -> AuditView:
    """One audit, or those of a run; or the place where one will be."""
    if not audits:
        return AuditView(verdict(EMPTY, ""), _figure([]), "", "")
    heads = [verdict(f"{_heading(told)}", f"{told['why']} {_meaning(told)}") for told in audits]
    content = audits[0] if len(audits) == 1 else list(audits)
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return AuditView(
        "".join(heads),
        _figure(audits),
        "".join(map(_numbers, audits)) + NOTE,
        downloads({"audit.json": ("application/json", text)}),
    )


def _heading(told: Told) -> str:
    tail = " to tell" if told["verdict"] == AuditVerdict.TOO_SMALL else ""
    return f"{told['data']}: {told['verdict']}{tail}"


def _meaning(told: Told) -> str:
    return MEANS[AuditVerdict(told["verdict"])]


def _figure(audits: Sequence[Told]) -> go.Figure:
    none = np.empty(0)
    curves = [
        Curve(
            told["data"], row["view"], "blind", none, none, row["auc"], tuple(row["auc_ci"]), True
        )
        for told in audits
        for row in told["blind"]
    ]
    if not curves:
        figure = go.Figure(layout={"xaxis": {"title": "AUC", "range": [0.4, 1]}})
        figure.add_vline(x=0.5, line={"color": FAINT, "width": 1, "dash": "dot"})
        figure.update_yaxes(visible=False)
        return captioned(styled(figure, height=220), EMPTY if not audits else "Too few rows.")
    figure = auc_figure(curves)
    figure.add_vline(x=MIN_RELEVANT_AUC, line={"color": FAINT, "width": 1, "dash": "dash"})
    # The page writes its label into the corner, beside the title of the first panel.
    return figure.update_layout(margin_t=64, height=figure.layout.height + 24)  # pyright: ignore


def _numbers(told: Told) -> str:
    size = f"{told['n_members']:,} members and {told['n_nonmembers']:,} non-members"
    label = f"{told['data']}: {size}"
    parts = []
    if told["blind"]:
        names = ["View", f"AUC{WITH_INTERVAL}", f"TPR at 1 % FPR{WITH_INTERVAL}", "p"]
        names.append("p of the shift test")
        shift = {row["view"]: f"{row['p']:.3f}" for row in told["shift"]}
        lines = [line(row["view"], _blind(row, shift)) for row in told["blind"]]
        parts.append(numbers(table(names, [(label, lines)]), f"Blind rows of {told['data']}"))
    if told["cues"]:
        names = ["Cue", "Members", "Non-members", f"AUC{WITH_INTERVAL}", "p"]
        lines = [line(cue["cue"], _cue(cue)) for cue in told["cues"]]
        heading = "The most telling cues, each alone"
        parts.append(numbers(table(names, [(heading, lines)]), f"Cues of {told['data']}"))
    return "".join(parts) + "".join(f"<p>{safe(remark)}</p>" for remark in _remarks(told))


def _blind(row: Told, shift: Mapping[str, str]) -> Iterator[str]:
    found = row["tpr_at_fpr"].get(ALPHA)
    yield f"{row['auc']:.3f} {interval(row['auc_ci'], '.3f')}"
    yield percent(found) if found else unresolved(row)
    yield f"{row['p']:.3f}"
    yield shift.get(row["view"], "")


def _cue(cue: Told) -> Iterator[str]:
    for side in (cue["members"], cue["nonmembers"]):
        yield f"{100 * side:.1f} %" if cue["kind"] == "share" else f"median {side:.4g}"
    yield f"{cue['auc']:.3f} {interval(cue['auc_ci'], '.3f')}"
    yield f"{cue['p']:.3f}"


def _remarks(told: Told) -> Iterator[str]:
    for found in told["duplicates"]:
        if found["across"]:
            yield (
                f"{found['across']:,} non-members have near-duplicate {found['of']} among the "
                "members."
            )
    lost = told["unreadable"]
    if lost["members"] or lost["nonmembers"]:
        yield (
            f"Pictures that cannot be read: {lost['members']:,} of members, "
            f"{lost['nonmembers']:,} of non-members."
        )
