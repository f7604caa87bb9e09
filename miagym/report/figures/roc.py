"""All ROC curves of a run on log-log axes, with a band around each."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from miagym.palette import PALETTE
from miagym.report.figures.plots import Curve, named
from miagym.report.figures.roc_panel import add_axes, add_curve, finished
from miagym.report.figures.style import DASHES


def roc_figure(curves: Sequence[Curve]) -> go.Figure:
    """A colour for each target, a dash for each access level; the bands are `roc_band.roc_band`.

    Curves that are not shown at first stand in the legend, where they can be switched on.
    """
    figure = go.Figure()
    add_axes(figure)
    targets = list(dict.fromkeys(curve.target for curve in curves))
    drawn = [curve for curve in curves if curve.sides]
    for curve in drawn:
        name = named(curve)
        add_curve(
            figure,
            curve.sides,
            name if len(targets) == 1 else f"{name} on {curve.target}",
            PALETTE[targets.index(curve.target) % len(PALETTE)],
            DASHES.get(curve.access or "", "solid"),
            band=True,
            shown=curve.shown,
        )
    figure = finished(figure, lines=1 + len(drawn))
    return figure.update_layout(legend_title_text="attack (access)")
