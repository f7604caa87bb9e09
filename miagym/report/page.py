"""The report of a run: one HTML file, without network, the same byte for byte each time.

It is made from results.json and scores.parquet alone, holds no clock, and claims no more than the
intervals do: what does not clear the blind baselines is called "not above blind".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from miagym.atomic import replacing
from miagym.report.curves import curves_of
from miagym.report.data import audit_section, doubts_list, skipped_list, unreadable_list
from miagym.report.figures.budget import budget_figure
from miagym.report.figures.checkpoints import checkpoint_figure
from miagym.report.figures.plots import Curve, auc_figure, distribution_figure
from miagym.report.figures.roc import roc_figure
from miagym.report.figures.teaser import teaser_figure
from miagym.report.finding import finding
from miagym.report.rows import Row, by_target
from miagym.report.tables import (
    Labelled,
    comparison_table,
    control_table,
    gap_table,
    main_table,
    safe,
    threshold_table,
)

TEASER = """<h2>The same attacks on two targets</h2>
<p>The first figure of Dubi&#324;ski et al.: what succeeds on an overfit model is near guessing on a
realistic one. Shaded: 95&nbsp;% bands, at each point by itself.</p>"""
CHECKPOINTS = """<h2>How membership becomes visible in training</h2>
<p>One attack on the checkpoints of one training. Bars: Wasserstein distance between the scores of
members and of non-members, with 95&nbsp;% intervals, beside what shuffled labels reach.</p>"""


def write_report(
    results: Mapping[str, Any], scores: pa.Table, about: Mapping[str, Any], out: Path
) -> None:
    """Writes the report.

    Args:
        results: the content of results.json; of its sections, `rows` must be there.
        scores: the test part, one line per candidate and attack, with the columns target, data,
            attack, candidate, member (bool) and score (float64); higher = member.
        about: "command" (str), "seed" and "versions" (by name).
        out: the file to write.

    Raises:
        OSError: if the file cannot be written.
    """
    rows: Sequence[Row] = results["rows"]
    groups = by_target(rows)
    curves, winners = curves_of(groups, scores)
    template = files("miagym.report") / "page.html.template"
    page = Template(template.read_text(encoding="utf-8")).substitute(
        title=safe(" and ".join(groups) or "no target"),
        finding=safe(finding(rows)).replace(" %", "&nbsp;%"),
        plotlyjs=get_plotlyjs(),
        teaser=_optional("teaser", teaser_figure(rows, scores), TEASER),
        checkpoints=_optional("checkpoints", checkpoint_figure(rows, scores), CHECKPOINTS),
        roc=_figure("roc", roc_figure, curves if winners else []),
        distributions=_figure("scores", distribution_figure, winners),
        aucs=_figure("aucs", auc_figure, curves),
        budgets=_budgets(groups),
        table=main_table(groups),
        thresholds=threshold_table(groups) or "<p>No threshold was fixed beforehand.</p>",
        audit=audit_section(results.get("audit", ())),
        controls=_section(results, "controls", control_table, "No control was run."),
        gaps=_section(results, "protocols", gap_table, "No attack had variants to choose from."),
        comparisons=_section(results, "comparisons", comparison_table, "Nothing was compared."),
        doubts=doubts_list(results.get("run", {}).get("doubts", ())),
        unreadable=unreadable_list(results.get("run", {}).get("unreadable", ())),
        skipped=skipped_list(results.get("run", {}).get("skipped", ())),
        command=safe(about["command"]),
        seed=safe(about["seed"]),
        versions=", ".join(safe(f"{k} {v}") for k, v in sorted(about["versions"].items())),
    )
    with replacing(out) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")


def _section(
    results: Mapping[str, Any], name: str, table: Callable[[Labelled], str], otherwise: str
) -> str:
    """A section of results.json as a table, target by target."""
    by_label: dict[str, list[Row]] = {}
    for row in results.get(name, ()):
        by_label.setdefault(f"{row['target']} ({row['data']})", []).append(row)
    return table(list(by_label.items())) if by_label else f"<p>{otherwise}</p>"


def _budgets(groups: Mapping[str, Sequence[Row]]) -> str:
    figure = budget_figure(groups)
    if figure is None:
        return "<p>No attack of this run spends a varying number of queries.</p>"
    return _embedded("budgets", figure)


def _figure(
    name: str, draw: Callable[[Sequence[Curve]], go.Figure], curves: Sequence[Curve]
) -> str:
    if not curves:
        return "<p>There are no scores to draw.</p>"
    return _embedded(name, draw(curves))


def _optional(name: str, figure: go.Figure | None, heading: str) -> str:
    """A figure that not every run can draw, under its heading."""
    return "" if figure is None else f"{heading}<div class=plot>{_embedded(name, figure)}</div>"


def _embedded(name: str, figure: go.Figure) -> str:
    buttons = [["toImage", "resetScale2d"]]
    config = {"displaylogo": False, "responsive": True, "modeBarButtons": buttons}
    return to_html(figure, config=config, include_plotlyjs=False, full_html=False, div_id=name)
