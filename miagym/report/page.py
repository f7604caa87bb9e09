"""The report of a run: one HTML file, without network, the same byte for byte each time.

It is made from results.json and scores.parquet alone, holds no clock, and claims no more than the
intervals do: what does not clear the blind baselines is called "not above blind".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
from markupsafe import Markup
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from miagym.atomic import replacing
from miagym.report.figures.registry import KINDS, find_figure
from miagym.report.finding import defended, finding, losses, seen_in
from miagym.report.html import render
from miagym.report.rows import by_target
from miagym.report.tables.audit import cues_in_words, views_table
from miagym.report.tables.evaluation import main_table, threshold_table
from miagym.report.tables.generated import generated_table
from miagym.report.tables.other_generator import other_table
from miagym.report.tables.statistics import comparison_table, control_summary, optimism_table
from miagym.results import Results


def write_report(results: Results, scores: pa.Table, about: Mapping[str, Any], out: Path) -> None:
    """Writes the report.

    Args:
        results: of the run.
        scores: the test part, one line per candidate and attack, with the columns target, data,
            attack, candidate, member (bool) and score (float64); higher = member.
        about: "command" (str), "seed" and "versions" (by name).
        out: the file to write.

    Raises:
        OSError: if the file cannot be written.
    """
    groups = by_target(results.rows)
    drawn = {kind: find_figure(kind, results, scores) for kind in KINDS}
    page = render(
        "report.html",
        title=" and ".join(groups) or "no target",
        finding=finding(results.rows, results.audit),
        plotlyjs=Markup(get_plotlyjs()),
        **{kind: figure and embedded(kind, figure) for kind, figure in drawn.items()},
        attacks=main_table(groups, results.audit),
        run=results.run,
        losses=losses(results.run.unreadable),
        seen=seen_in(results.run.data),
        defended=tuple(defended(results.run)),
        audits=[(audit, cues_in_words(audit)) for audit in results.audit],
        views=views_table(results.audit),
        controls=control_summary(results.controls),
        other_generator=other_table(results.other_generator, results.rows),
        generated=generated_table(results.generated),
        thresholds=threshold_table(groups),
        optimism=optimism_table(results.protocols),
        comparisons=comparison_table(results.comparisons),
        command=about["command"],
        seed=about["seed"],
        versions=sorted(about["versions"].items()),
    )
    with replacing(out, shared=True) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")


def embedded(name: str, figure: go.Figure) -> Markup:
    """A figure as a piece of a page that holds plotly's script; `name` is its id there."""
    buttons = [["toImage", "resetScale2d"]]
    config = {"displaylogo": False, "responsive": True, "modeBarButtons": buttons}
    return Markup(
        to_html(figure, config=config, include_plotlyjs=False, full_html=False, div_id=name)
    )
