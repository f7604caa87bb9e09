"""A panel of ROC curves on log-log axes, for figures that put one beside something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from miagym.report.figures.roc_band import FINEST, roc_band, staircase
from miagym.report.figures.style import rounded, safe_text, styled
from miagym.results import AttackRow

FAINT = "#888888"
BAND_OPACITY = 0.12
RATES = "members found at 1 % FPR [95 % interval]"


@dataclass(frozen=True, eq=False)
class Sides:
    """The scores of one attack on one target; higher = member."""

    members: NDArray[np.float64]
    nonmembers: NDArray[np.float64]
    worth: tuple[float, float] | None = None
    """How many independent members, and non-members, they are; None without groups."""
    groups: tuple[NDArray[np.integer], NDArray[np.integer]] | None = None
    """Of members, and of non-members."""

    def __bool__(self) -> bool:
        """Whether there is a curve to draw; a row may come without its scores."""
        return len(self.members) > 0 and len(self.nonmembers) > 0


NO_SCORES = Sides(np.empty(0), np.empty(0))


def sides_of(row: AttackRow, scores: pa.Table) -> Sides:
    """The scores of a row.

    Args:
        row: of results.json.
        scores: the test part, as `page.write_report` takes it.
    """
    own = scores.filter(
        (pc.field("target") == row.target)
        & (pc.field("data") == row.data)
        & (pc.field("attack") == row.attack)
    )
    member = np.asarray(own["member"].to_numpy(), dtype=bool)
    score = np.asarray(own["score"].to_numpy(), dtype=np.float64)
    if row.effective_members is None or "group" not in own.column_names:
        return Sides(score[member], score[~member])
    group = np.asarray(own["group"].to_numpy())
    return Sides(score[member], score[~member], row.worth, (group[member], group[~member]))


def add_curve(
    figure: go.Figure,
    sides: Sides,
    name: str,
    colour: str,
    dash: str,
    *,
    band: bool,
    shown: bool = True,
) -> None:
    """Draws a ROC curve, and the band around it, which leaves with it when it is switched off.

    Args:
        figure: to draw on.
        sides: the scores.
        name: in the legend.
        colour: such as `#0072B2`.
        dash: a stroke of plotly.
        band: whether to draw `roc_band.roc_band` around it.
        shown: at first sight; otherwise the legend offers it.
    """
    group, visible = safe_text(name), True if shown else "legendonly"
    if band:
        around = roc_band(sides.members, sides.nonmembers, worth=sides.worth)
        figure.add_scatter(
            x=rounded(np.concatenate([around.fpr, around.fpr[::-1]])),
            y=rounded(_on_log_axis(np.concatenate([around.high, around.low[::-1]]))),
            fill="toself",
            fillcolor=faded(colour, BAND_OPACITY),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            legendgroup=group,
            showlegend=False,
            visible=visible,
        )
    fpr, tpr = staircase(sides.members, sides.nonmembers)
    figure.add_scatter(
        x=rounded(fpr),
        y=rounded(_on_log_axis(tpr)),
        mode="lines",
        name=group,
        legendgroup=group,
        visible=visible,
        line={"color": colour, "dash": dash, "width": 2.5, "shape": "hv"},
        hovertemplate="finds %{y:.1%} of members at %{x:.2%} false positives",
    )


def add_axes(figure: go.Figure) -> None:
    """Log-log axes from 0.1 % to 100 % on the first panel, guessing, and a line at 1 % FPR."""
    figure.add_scatter(
        x=[FINEST, 1],
        y=[FINEST, 1],
        mode="lines",
        name="guessing",
        line={"color": FAINT, "width": 1},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[0.01, 0.01],
        y=[FINEST, 1],
        mode="lines",
        line={"color": FAINT, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    ticks = {"tickvals": [0.001, 0.01, 0.1, 1], "ticktext": ["0.1 %", "1 %", "10 %", "100 %"]}
    axis = {"type": "log", "range": [np.log10(FINEST), 0.02], "ticks": "outside", **ticks}
    figure.update_layout(
        xaxis={"title": "false positives (FPR)", **axis},
        yaxis={"title": "members found (TPR)", **axis},
    )


def finished(figure: go.Figure, lines: int, about: str = "") -> go.Figure:
    """Gives a figure its style, and below it a legend of so many lines that says what it is."""
    below = 90 + 19 * lines
    figure.update_layout(
        legend={
            "title": {"text": safe_text(f"{about}{RATES}"), "font_size": 13},
            "x": 0,
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "tracegroupgap": 0,
        }
    )
    styled(figure, height=480 + below, top=60)
    return figure.update_layout(margin={"b": below})


def _on_log_axis(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """A log axis has no 0: a point below its end lets the line rise from the edge."""
    return np.maximum(rate, FINEST / 100)


def faded(colour: str, opacity: float) -> str:
    """A colour such as `#0072B2` that lets the page shine through."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
