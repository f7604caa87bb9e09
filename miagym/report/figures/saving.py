"""A figure that saves itself, as a vector file for a paper."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from miagym.atomic import replacing
from miagym.errors import RunError

SUFFIXES = (".pdf", ".svg", ".png", ".html")
WIDTH = 700
"""Of a saved figure, in CSS pixels."""
LINE = 19
"""Height of a line in a legend."""


class Figure(go.Figure):
    """A plotly figure with `save`."""

    def save(self, path: str | Path) -> Path:
        """Writes a PDF, SVG, PNG or HTML file, as its suffix says.

        All but HTML need kaleido (`pip install 'miagym[figures]'`) and Chrome or Chromium. What
        the legend only offers is left out of them.

        Raises:
            RunError: if the suffix is another one, or kaleido or the browser is missing.
            OSError: if the file cannot be written.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in SUFFIXES:
            expected = ", ".join(SUFFIXES)
            raise RunError(f"A figure is saved as {expected}, got {path.name!r}; rename the file.")
        if kind == ".html":
            content = str(self.to_html(include_plotlyjs=True)).encode()
        else:
            content = _drawn(self, kind.removeprefix("."))
        with replacing(path) as partial:
            partial.write_bytes(content)
        return path


def _drawn(figure: go.Figure, kind: str) -> bytes:
    if find_spec("kaleido") is None:
        raise RunError(
            f"Saving a figure as {kind.upper()} needs kaleido: pip install 'miagym[figures]'; "
            ".html needs nothing."
        )
    try:
        return _as_seen(figure).to_image(format=kind, width=WIDTH)
    except RuntimeError as error:  # plotly's and choreographer's for a browser that is not there
        raise RunError(
            f"Saving a figure as {kind.upper()} needs Chrome or Chromium: install one, or run "
            "`plotly_get_chrome`; .html needs nothing."
        ) from error


def _as_seen(figure: go.Figure) -> go.Figure:
    """The figure without what its legend only offers, and without the room for that."""
    traces: tuple[Any, ...] = figure.data  # pyright: ignore[reportAssignmentType]
    seen = [trace for trace in traces if trace.visible != "legendonly"]
    offered = [trace for trace in traces if trace.visible == "legendonly"]
    lines = sum(trace.showlegend is not False for trace in offered)
    drawn = go.Figure(seen, figure.layout)
    layout: Any = figure.layout
    below, height = layout.margin.b, layout.height
    if lines and below and height:
        drawn.update_layout(height=height - LINE * lines, margin_b=below - LINE * lines)
    return drawn
