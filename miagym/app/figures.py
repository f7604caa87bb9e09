"""Figures as the page shows them, in light and in dark."""

from __future__ import annotations

import gradio as gr
import plotly.graph_objects as go

from miagym.report.figures.style import safe_text


def plot(figure: go.Figure, label: str, name: str) -> gr.Plot:
    """A figure of the report, which `static/css/page.css` colours; `name` is its id."""
    return gr.Plot(figure, label=label, elem_id=name, elem_classes="figure")


def captioned(figure: go.Figure, text: str) -> go.Figure:
    """A figure without data, which says why."""
    return figure.add_annotation(
        text=safe_text(text), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False
    )
