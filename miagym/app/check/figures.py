"""Figures of the page; what they show also stands beside them in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from miagym.palette import MEMBERS, NONMEMBERS, PALETTE
from miagym.report.figures.style import safe_text, styled

if TYPE_CHECKING:
    from miagym.app.check.service import RankScale

GREY = "#7d8590"
"""As readable on white as on the dark page."""
ASKED = PALETTE[3]
BINS = 30
LOOKS_USED = "looks used"
MIN_ROOM = 0.28
"""Share of the axis that is wide enough, on a phone too, for `LOOKS_USED`."""


def verdict_figure(
    scale: RankScale, asked: Sequence[tuple[str, float]] = (), name: str | None = None
) -> go.Figure:
    """Scores of calibration members (up) and non-members (down), the rule, and who was asked about.

    Args:
        scale: of the target.
        asked: names and scores of the visitor's pictures.
        name: of these in the legend.
    """
    known = np.concatenate([scale.members, scale.nonmembers])
    low, high = float(known.min()), float(known.max())
    room = (high - low) / 4
    shown = [(name, float(np.clip(s, low - room, high + room)), s) for name, s in asked]
    ends = [low, high, *(at for _, at, _ in shown)]
    edges = np.linspace(min(ends), max(ends), BINS + 1)
    sides = scale.members, scale.nonmembers
    members, nonmembers = (np.histogram(s, edges)[0] / len(s) for s in sides)
    n = f"{len(scale.members)} used", f"{len(scale.nonmembers)} unused"
    figure = _mirrored(edges, members, nonmembers, n, scale.threshold)
    if shown:
        figure.add_scatter(
            x=[at for _, at, _ in shown],
            y=[0.0] * len(shown),
            customdata=[[safe_text(one), f"{score:.2f}"] for one, _, score in shown],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
            mode="markers",
            marker={"symbol": "diamond", "size": 13, "color": ASKED, "line": {"width": 1}},
            name=name or ("your picture" if len(shown) == 1 else "your pictures"),
        )
    if len(shown) == 1:
        figure.add_vline(shown[0][1], line={"color": ASKED, "width": 2})
    return figure


def verdict_sketch() -> go.Figure:
    """How an answer will be drawn, before there is one: two bell curves that overlap."""
    edges = np.linspace(-4, 5, BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    curves = [np.exp(-((middle - mean) ** 2) / 2) for mean in (0.7, 0.0)]
    members, nonmembers = (curve / curve.sum() for curve in curves)
    names = "used", "unused"
    figure = _mirrored(edges, members, nonmembers, names, 2.33)
    figure.update_traces(opacity=0.35)
    return figure.update_xaxes(title_text="a sketch: a check draws the real scores")


def _mirrored(
    edges: NDArray[np.float64],
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    names: tuple[str, str],
    threshold: float | None,
) -> go.Figure:
    figure = go.Figure()
    for shares, name, colour, sign in (
        (members, names[0], MEMBERS, 1),
        (nonmembers, names[1], NONMEMBERS, -1),
    ):
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=sign * shares,
            width=np.diff(edges),
            customdata=shares,
            hovertemplate="%{customdata:.0%} of " + name + "<extra></extra>",
            marker={"color": colour, "line": {"width": 0}},
            name=name,
        )
    top = 1.15 * float(max(members.max(), nonmembers.max()))
    styled(figure, height=330, top=44).update_layout(
        barmode="overlay",
        bargap=0,
        font_color=GREY,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": "score (right: as those that were used)", "zeroline": False},
        yaxis={
            "range": [-top, top],
            "showticklabels": False,
            "title": "share of pictures",
            "zerolinecolor": GREY,
        },
        dragmode=False,
    )
    figure.update_xaxes(showgrid=False, fixedrange=True, title_font_size=13, title_standoff=8)
    figure.update_yaxes(showgrid=False, fixedrange=True, title_font_size=13)
    if threshold is not None:
        figure.add_vrect(threshold, float(edges[-1]), fillcolor=GREY, opacity=0.12, line_width=0)
        figure.add_vline(threshold, line={"color": GREY, "width": 1.5, "dash": "dash"})
        # Unused ones do not reach there, so that there is room for words.
        has_room = float(edges[-1]) - threshold > MIN_ROOM * float(edges[-1] - edges[0])
        figure.add_annotation(
            x=threshold, y=-top, yanchor="bottom", xanchor="left" if has_room else "right",
            text=f" {LOOKS_USED}" if has_room else f"{LOOKS_USED} → ",
            showarrow=False, font={"color": GREY},
        )  # fmt: skip
    return figure
