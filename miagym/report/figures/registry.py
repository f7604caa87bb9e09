"""The figures of a run by name."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import pyarrow as pa

from miagym.errors import RunError, UnknownName
from miagym.report.figures.budget import budget_figure
from miagym.report.figures.checkpoints import checkpoint_figure
from miagym.report.figures.curves import curves_of
from miagym.report.figures.plots import auc_figure, distribution_figure
from miagym.report.figures.roc import roc_figure
from miagym.report.figures.saving import Figure
from miagym.report.figures.teaser import teaser_figure
from miagym.report.rows import by_target
from miagym.results import Results

Draw = Callable[[Results, pa.Table], go.Figure | None]


def _roc(results: Results, scores: pa.Table) -> go.Figure | None:
    curves, winners = curves_of(by_target(results.rows), scores)
    return roc_figure(curves) if winners else None


def _scores(results: Results, scores: pa.Table) -> go.Figure | None:
    _, winners = curves_of(by_target(results.rows), scores)
    return distribution_figure(winners) if winners else None


def _auc(results: Results, scores: pa.Table) -> go.Figure | None:
    curves, _ = curves_of(by_target(results.rows), scores)
    return auc_figure(curves) if curves else None


KINDS: dict[str, tuple[Draw, str]] = {
    "roc": (_roc, "it holds no scores"),
    "auc": (_auc, "it holds no attack"),
    "scores": (_scores, "it holds no scores"),
    "budget": (
        lambda results, _: budget_figure(by_target(results.rows)),
        "no attack of it spends a varying number of queries",
    ),
    "checkpoints": (
        lambda results, scores: checkpoint_figure(results.rows, scores),
        "no two checkpoints of one training are scored by one attack",
    ),
    "teaser": (
        lambda results, scores: teaser_figure(results.rows, scores),
        "no two targets share an attack that looks at the model",
    ),
}
"""By name: what draws it, and why a run may have nothing to draw."""


def find_figure(kind: str, results: Results, scores: pa.Table) -> go.Figure | None:
    """A figure of a run; None if it has nothing to draw there.

    Raises:
        UnknownName: for a kind that is not in `KINDS`.
    """
    if kind not in KINDS:
        raise UnknownName("figure", kind, KINDS)
    return KINDS[kind][0](results, scores)


def figure(kind: str, results: Results, scores: pa.Table) -> Figure:
    """A figure of a run.

    Args:
        kind: "roc", "auc", "scores", "budget", "checkpoints" or "teaser".
        results: of the run.
        scores: the test part, as `page.write_report` takes it.

    Raises:
        UnknownName: for another kind.
        RunError: if this run has nothing to draw there.
    """
    found = find_figure(kind, results, scores)
    if found is None:
        raise RunError(f"This run has no figure {kind!r}: {KINDS[kind][1]}.")
    return Figure(found)
