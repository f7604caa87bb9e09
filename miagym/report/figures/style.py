"""What all figures share: colours, number formats, a transparent ground."""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

DASHES = {"blind": "dot", "black": "dash", "grey": "solid", "white": "dashdot"}
SYMBOLS = {"blind": "x", "black": "square", "grey": "circle", "white": "diamond"}


def rounded(values: NDArray[np.floating]) -> list[float]:
    """Six significant digits: more would only differ from machine to machine."""
    return [float(f"{value:.6g}") for value in values]


def safe_text(text: str) -> str:
    """Plotly reads labels as HTML, links included."""
    return html.escape(text, quote=False)


def styled(figure: go.Figure, height: int, top: int = 40) -> go.Figure:
    """Transparent, so that the page decides on light or dark."""
    return figure.update_layout(
        template="none",
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        margin={"l": 60, "r": 25, "t": top, "b": 50},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#888888", "activecolor": "#888888"},
        xaxis_automargin=True,
        yaxis_automargin=True,
        hovermode="closest",
    )
