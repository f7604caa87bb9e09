"""The figure of budgets: what a black-box attack finds after 1, 2, 4, ... queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from miagym.palette import PALETTE
from miagym.report.rows import ALPHA, Row
from miagym.report.style import rounded, safe_text, styled


def budget_figure(groups: Mapping[str, Sequence[Row]]) -> go.Figure | None:
    """AUC, and TPR at 1 % FPR where it is resolvable, against queries spent on a candidate.

    Args:
        groups: rows by target, as `finding.by_target` gives them.

    Returns:
        None if no row has a curve.
    """
    curves = [(label, row) for label, rows in groups.items() for row in rows if "curve" in row]
    if not curves:
        return None
    resolvable = any(point["tpr_at_fpr"].get(ALPHA) for _, row in curves for point in row["curve"])
    titles = ["AUC", "TPR at 1 % FPR"][: 1 + resolvable]
    figure = make_subplots(cols=len(titles), subplot_titles=titles)
    for number, (label, row) in enumerate(curves):
        colour = PALETTE[number % len(PALETTE)]
        name = safe_text(f"{row['attack']} on {label}")
        _add_line(figure, 1, row["curve"], [_auc(p) for p in row["curve"]], name, colour)
        detected = [p for p in row["curve"] if p["tpr_at_fpr"].get(ALPHA)]
        if detected:
            _add_line(figure, 2, detected, [_tpr(p) for p in detected], name, colour)
    figure.update_xaxes(title="queries a candidate", type="log", dtick=np.log10(2))
    figure.add_hline(y=0.5, line={"color": "#888888", "width": 1, "dash": "dot"}, col=1, row=1)  # pyright: ignore[reportArgumentType]
    legend = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}
    figure.update_layout(legend=legend)
    return styled(figure, height=380 + 20 * len(curves))


Estimate = tuple[float, float, float]
"""A number and the ends of its interval."""


def _auc(point: Mapping[str, Any]) -> Estimate:
    return point["auc"], *point["auc_ci"]


def _tpr(point: Mapping[str, Any]) -> Estimate:
    found = point["tpr_at_fpr"][ALPHA]
    return found["tpr"], *found["ci"]


def _add_line(
    figure: go.Figure,
    column: int,
    points: Sequence[Mapping[str, Any]],
    estimates: Sequence[Estimate],
    name: str,
    colour: str,
) -> None:
    value, low, high = np.array(estimates).T
    figure.add_scatter(
        x=[point["queries"] for point in points],
        y=rounded(value),
        error_y={"array": rounded(high - value), "arrayminus": rounded(value - low)},
        mode="lines+markers",
        name=name,
        legendgroup=name,
        showlegend=column == 1,
        line={"color": colour},
        hovertemplate="%{y:.3f} after %{x} queries",
        row=1,
        col=column,
    )
