"""A check by unused pictures as the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from miagym.app.check.figures import ASKED, GREY, LOOKS_USED
from miagym.app.check.view import Readout, evidence_link
from miagym.app.check.words import MARKS, Plain, odds
from miagym.app.html import render
from miagym.checking.answer import Verdict
from miagym.checking.unused.control import ControlStanding
from miagym.report.figures.style import safe_text, styled
from miagym.report.tables.check import unused_table
from miagym.results.formats import p_text

if TYPE_CHECKING:
    from miagym.app.check.unused.compare import AgainstUnused
    from miagym.checking.unused.result import UnusedFinding

CONTROL = {
    ControlStanding.GOOD: "Without the model, the two sides look alike.",
    ControlStanding.UNKNOWN: "Without the model, no difference between the two sides was found; "
    "but so few pictures cannot rule one out. That they differ in nothing else is yours to know.",
}
"""What is said first of unused pictures that may serve; the numbers of the audit are folded."""


def unused_verdict(checked: AgainstUnused) -> Markup:
    """The verdict: first whether the unused pictures are a control at all."""
    found = checked.found.finding
    return render(
        "check/unused.html",
        plain=_plain(found),
        control=CONTROL.get(found.control.standing, found.control.words),
        numbers=_numbers(found),
        listed=found.listed if _compares(found) else None,
        links=evidence_link(checked.evidence),
    )


def unused_details(checked: AgainstUnused) -> Markup:
    """Folded below the figure: each picture, and the answer in full."""
    from miagym.checking.unused.words import skipped_sentences

    found = checked.found.finding
    return render(
        "check/unused_details.html",
        table=unused_table(found) if found.pictures else None,
        sentences=checked.found.words(),
        skipped=list(skipped_sentences(found)),
    )


def p_figure(found: UnusedFinding) -> go.Figure:
    """The p-value of each picture that was compared, and the rate that is allowed."""
    known = [(a.name, a.p_value) for a in found.pictures if a.p_value is not None]
    known.sort(key=lambda one: one[1])
    figure = go.Figure()
    figure.add_scatter(
        x=[p for _, p in known],
        y=list(range(1, len(known) + 1)),
        customdata=[[safe_text(name), p_text(p)] for name, p in known],
        hovertemplate="%{customdata[0]}: p = %{customdata[1]}<extra></extra>",
        mode="markers",
        marker={"symbol": "diamond", "size": 11, "color": ASKED},
        name="your pictures",
    )
    figure.add_vline(found.alpha, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        text=f"← {LOOKS_USED}  ",
        x=np.log10(found.alpha),  # unlike a line, it stands on a logarithmic axis by its power
        xanchor="right",
        y=1,
        yref="paper",
        showarrow=False,
    )
    ticks = {"tickvals": [0.001, 0.01, 0.1, 1], "ticktext": ["0.1 %", "1 %", "10 %", "100 %"]}
    return styled(figure, height=260, top=30).update_layout(
        font_color=GREY,
        dragmode=False,
        showlegend=False,
        xaxis={
            "title": {"text": "p: unused ones that score as high", "font_size": 13, "standoff": 8},
            "type": "log",
            "range": [-3, 0.05],
            "fixedrange": True,
            **ticks,
        },
        yaxis={
            "title": {"text": "your pictures", "font_size": 13},
            "fixedrange": True,
            "rangemode": "tozero",
            "showticklabels": False,
        },
    )


def _compares(found: UnusedFinding) -> bool:
    return found.control.standing is not ControlStanding.BAD


def _plain(found: UnusedFinding) -> Plain:
    mark = MARKS[found.verdict]
    if not _compares(found):
        return Plain(mark, "Not compared", "These unused pictures are no fair control for yours.")
    if found.together is None:
        p = found.pictures[0].p_value if found.pictures else None
        what, likely = "It", "" if p is None else f"About {odds(p)} unused pictures score this high"
    else:
        p = found.together.test.p_value
        what = "The set"
        likely = f"Dealt to the two sides by lot, about {odds(p)} sets would differ as much"
    if found.verdict is Verdict.NOT_COMPARABLE or p is None:
        return Plain(mark, "Not judged", "Too little of it resembles the unused pictures.")
    if found.verdict is Verdict.MEMBER_LIKE:
        return Plain(mark, f"{what} looks used", f"{likely}.")
    text = f"The usual answer. {likely}; that does not mean that none was used."
    return Plain(mark, "Cannot tell", text)


def _numbers(found: UnusedFinding) -> list[Readout]:
    if not _compares(found) or found.together is None:
        return []
    test = found.together.test
    return [
        ("p-value", p_text(test.p_value), "deals by lot that differ as much"),
        ("limit", p_text(found.alpha), "up to it, a set looks used"),
        (
            "used, at least",
            f"{found.together.share.at_least} of {found.together.share.pictures}",
            "if the unused are a fair control",
        ),
    ]
