"""Two figures of the report: score distributions, and the AUC of every attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, groupby

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from miagym.metrics.auc import Interval
from miagym.palette import MEMBERS, NONMEMBERS, PALETTE
from miagym.report.figures.roc_panel import NO_SCORES, Sides
from miagym.report.figures.style import SYMBOLS, rounded, safe_text, styled


@dataclass(frozen=True, eq=False)
class Curve:
    """One attack on one target, as the figures need it."""

    target: str
    attack: str
    access: str | None
    auc: float
    auc_ci: Interval
    shown: bool
    """Drawn at first sight; otherwise the ROC figure offers it in the legend."""
    sides: Sides = NO_SCORES
    """Its scores; a row may come without them."""


def distribution_figure(curves: Sequence[Curve], bins: int = 40) -> go.Figure:
    """Scores of members and of non-members, one panel for each curve."""
    titles = [safe_text(f"{curve.target}: {curve.attack}") for curve in curves]
    figure = make_subplots(rows=len(curves), subplot_titles=titles, vertical_spacing=_gap(curves))
    for row, curve in enumerate(curves, start=1):
        members, nonmembers = curve.sides.members, curve.sides.nonmembers
        both = np.concatenate([members, nonmembers])
        # A few far scores would squeeze all others into one bar; the end bars take them instead.
        low, high = np.quantile(both, [0.005, 0.995])
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
        sides = ("members", MEMBERS, members), ("non-members", NONMEMBERS, nonmembers)
        for name, colour, scores in sides:
            counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)
            figure.add_bar(
                x=rounded((edges[1:] + edges[:-1]) / 2),
                y=rounded(counts / len(scores)),
                width=rounded(np.diff(edges)),
                name=name,
                marker={"color": colour, "opacity": 0.6, "line_width": 0},
                legendgroup=name,
                showlegend=row == 1,
                hovertemplate="%{y:.1%} around a score of %{x}",
                row=row,
                col=1,
            )
    figure.update_xaxes(title="score (higher = member)", title_standoff=4)
    figure.update_yaxes(tickformat=".0%")
    height = 140 + 240 * len(curves)
    below_buttons = 1 - 28 / height
    legend = {"orientation": "h", "yref": "container", "y": below_buttons, "yanchor": "top"}
    figure.update_layout(barmode="overlay", legend=legend)
    return styled(figure, height=height, top=90)


def auc_figure(curves: Sequence[Curve]) -> go.Figure:
    """AUC of every attack with its interval, one panel for each target; 0.5 is guessing."""
    groups = _by_target(curves)
    heights = [len(group) + 1 for _, group in groups]
    figure = make_subplots(
        rows=len(groups),
        shared_xaxes=True,
        row_heights=heights,
        subplot_titles=[safe_text(target) for target, _ in groups],
        vertical_spacing=_gap(groups) / 2,
    )
    coloured = zip(cycle(PALETTE), groups, strict=False)
    for row, (colour, (_, group)) in enumerate(coloured, start=1):
        value = np.array([curve.auc for curve in group])
        low, high = np.array([curve.auc_ci for curve in group]).T
        figure.add_scatter(
            x=rounded(value),
            y=[safe_text(named(curve)) for curve in group],
            error_x={"array": rounded(high - value), "arrayminus": rounded(value - low)},
            mode="markers",
            marker={"color": colour, "size": 9, "symbol": [_symbol(curve) for curve in group]},
            hovertemplate="AUC %{x:.3f}",
            name="",
            showlegend=False,
            row=row,
            col=1,
        )
    figure.add_vline(x=0.5, line={"color": "#888888", "width": 1, "dash": "dot"})
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(title="AUC", row=len(groups), col=1)
    return styled(figure, height=90 + 30 * sum(heights))


def named(curve: Curve) -> str:
    """As legends and axes call it."""
    return f"{curve.attack} ({curve.access})" if curve.access else curve.attack


def _by_target(curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    return [(target, list(group)) for target, group in groupby(curves, lambda curve: curve.target)]


def _symbol(curve: Curve) -> str:
    return SYMBOLS.get(curve.access or "", "circle")


def _gap(panels: Sequence[object]) -> float:
    """Space between panels as a share of the figure, which plotly wants below 1 / (panels - 1)."""
    return min(0.25, 0.4 / max(1, len(panels)))
