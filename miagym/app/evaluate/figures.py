"""ROC curves as the page draws them: from the FPR that can be resolved, the legend beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from miagym.app.html import render
from miagym.palette import PALETTE
from miagym.report.figures.plots import Curve
from miagym.report.figures.roc_panel import add_axes, add_curve
from miagym.report.figures.style import styled

HEIGHT = 440
STROKES = ("solid", "dash", "dot", "dashdot")
"""Of the targets, in their order."""


def page_roc(curves: Sequence[Curve]) -> go.Figure:
    """A colour for each attack, a stroke for each model."""
    figure = go.Figure()
    add_axes(figure)
    drawn = [curve for curve in curves if curve.sides]
    for curve, (colour, dash) in zip(drawn, _looks(drawn), strict=True):
        name = f"{curve.attack} on {curve.target}"
        add_curve(figure, curve.sides, name, colour, dash, band=True)
    if drawn:
        # Left of one false positive nothing was measured.
        finest = 1 / max(len(curve.sides.nonmembers) for curve in drawn)
        figure.update_xaxes(range=[np.log10(finest), 0.02])
        figure.update_yaxes(range=[np.log10(finest), 0.02])
    styled(figure, HEIGHT, top=30).update_layout(showlegend=False, dragmode=False)
    figure.update_xaxes(fixedrange=True, title_font_size=13, title_standoff=6)
    return figure.update_yaxes(fixedrange=True, title_font_size=13, title_standoff=8)


def legend(curves: Sequence[Curve]) -> str:
    """What the strokes of `page_roc` are, in HTML: a phone sets it below the figure."""
    drawn = [curve for curve in curves if curve.sides]
    several = len({curve.target for curve in drawn}) > 1
    lines = [
        (f"{curve.attack} on {curve.target}" if several else curve.attack, colour, dash)
        for curve, (colour, dash) in zip(drawn, _looks(drawn), strict=True)
    ]
    return render("evaluate/legend.html", lines=lines) if lines else ""


def _looks(curves: Sequence[Curve]) -> list[tuple[str, str]]:
    attacks = list(dict.fromkeys(curve.attack for curve in curves))
    targets = list(dict.fromkeys(curve.target for curve in curves))
    return [
        (
            PALETTE[attacks.index(curve.attack) % len(PALETTE)],
            STROKES[targets.index(curve.target) % len(STROKES)],
        )
        for curve in curves
    ]
