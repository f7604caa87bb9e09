"""Figures of a run, as plotly figures."""

from miagym.report.figures.registry import KINDS, Figure, figure

__all__ = ["KINDS", "Figure", "figure"]
