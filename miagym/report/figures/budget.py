"""The figure of budgets: what a black-box attack finds after 1, 2, 4, ... queries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from miagym.palette import PALETTE
from miagym.report.figures.style import rounded, safe_text, styled
from miagym.report.rows import Groups
from miagym.results import Interval
from miagym.results.formats import detection


def budget_figure(groups: Groups, stacked: bool = False) -> go.Figure | None:
    """AUC, and TPR at 1 % FPR where it is resolvable, against queries spent on a candidate.

    Args:
        groups: rows by target, as `rows.by_target` gives them.
        stacked: panels one below the other, for a narrow page.

    Returns:
        None if no row has a curve.
    """
    curves = [(label, row) for label, rows in groups.items() for row in rows if row.curve]
    if not curves:
        return None
    resolvable = any(detection(point) for _, row in curves for point in row.curve)
    titles = ["AUC", "TPR at 1 % FPR"][: 1 + resolvable]
    rows, columns = (len(titles), 1) if stacked else (1, len(titles))
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=titles)
    for number, (label, row) in enumerate(curves):
        colour = PALETTE[number % len(PALETTE)]
        name = safe_text(f"{row.attack} on {label}")
        aucs = [(point.queries, point.auc, point.auc_ci) for point in row.curve]
        found = ((point.queries, detection(point)) for point in row.curve)
        tprs = [(queries, tpr.tpr, tpr.ci) for queries, tpr in found if tpr]
        _add_line(figure, (1, 1), aucs, name, colour)
        if tprs:
            _add_line(figure, (2, 1) if stacked else (1, 2), tprs, name, colour)
    figure.update_xaxes(title="queries a candidate", type="log", dtick=np.log10(2))
    figure.add_hline(y=0.5, line={"color": "#888888", "width": 1, "dash": "dot"}, col=1, row=1)  # pyright: ignore[reportArgumentType]
    legend = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}
    figure.update_layout(legend=legend)
    height = 300 * len(titles) if stacked else 380
    return styled(figure, height=height + 20 * len(curves))


def _add_line(
    figure: go.Figure,
    at: tuple[int, int],
    points: Sequence[tuple[float | None, float, Interval]],
    name: str,
    colour: str,
) -> None:
    """Adds a line through numbers with their intervals, at so many queries each."""
    value = np.array([value for _, value, _ in points])
    low, high = np.array([ci for _, _, ci in points]).T
    figure.add_scatter(
        x=[queries for queries, _, _ in points],
        y=rounded(value),
        error_y={"array": rounded(high - value), "arrayminus": rounded(value - low)},
        mode="lines+markers",
        name=name,
        legendgroup=name,
        showlegend=at == (1, 1),
        line={"color": colour},
        hovertemplate="%{y:.3f} after %{x} queries",
        row=at[0],
        col=at[1],
    )
