"""Figures of a run, as plotly figures."""
