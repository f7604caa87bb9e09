"""The report of a run: one HTML file, without network, the same byte for byte each time.

It is made from results.json and scores.parquet alone, holds no clock, and claims no more than the
intervals do: what does not clear the blind baselines is called "not above blind".
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from miagym.evaluation.budget_figure import budget_figure
from miagym.evaluation.finding import (
    ALPHA,
    Row,
    asking_rows,
    blind_rows,
    by_target,
    finding,
    held_out,
    interval,
    is_blind,
    percent,
    remark,
    strongest,
)
from miagym.evaluation.plots import Curve, auc_figure, distribution_figure, roc_figure


def write_report(rows: Sequence[Row], scores: pa.Table, run: Mapping[str, Any], out: Path) -> None:
    """Writes the report.

    Args:
        rows: the rows of results.json.
        scores: the test part, one line per candidate and attack, with the columns target, data,
            attack, candidate, member (bool) and score (float64); higher = member.
        run: "command" (str), "seed", "versions" (by name) and "skipped" (mappings with target,
            data, attack and why).
        out: the file to write.

    Raises:
        OSError: if the file cannot be written.
    """
    groups, curves, winners = by_target(rows), [], []
    for label, group in groups.items():
        models = held_out(asking_rows(group))
        best = strongest(models) or strongest(group)
        by_access = (
            [r for r in models if r["access"] == level] for level in ("black", "grey", "white")
        )
        shown = [best, strongest(blind_rows(group)), *map(strongest, by_access)]
        for row in group:
            curves.append(_curve(label, row, scores, shown=any(row is other for other in shown)))
            if row is best and curves[-1].has_scores:
                winners.append(curves[-1])

    template = (files("miagym.evaluation") / "report.html.template").read_text(encoding="utf-8")
    page = Template(template).substitute(
        title=_safe(" and ".join(groups) or "no target"),
        finding=_safe(finding(rows)).replace(" %", "&nbsp;%"),
        plotlyjs=get_plotlyjs(),
        roc=_figure("roc", roc_figure, curves if winners else []),
        distributions=_figure("scores", distribution_figure, winners),
        aucs=_figure("aucs", auc_figure, curves),
        budgets=_budgets(groups),
        table=_table(groups),
        skipped=_skipped(run.get("skipped", ())),
        command=_safe(run["command"]),
        seed=_safe(run["seed"]),
        versions=", ".join(_safe(f"{k} {v}") for k, v in sorted(run["versions"].items())),
    )
    out.write_text(page, encoding="utf-8", newline="\n")


def _curve(label: str, row: Row, scores: pa.Table, shown: bool) -> Curve:
    own = scores.filter(
        (pc.field("target") == row["target"])
        & (pc.field("data") == row["data"])
        & (pc.field("attack") == row["attack"])
    )
    member = np.asarray(own.column("member").to_numpy(), dtype=bool)
    score = np.asarray(own.column("score").to_numpy(), dtype=np.float64)
    return Curve(
        target=label,
        attack=row["attack"],
        access=row["access"],
        members=score[member],
        nonmembers=score[~member],
        auc=row["auc"],
        auc_ci=(row["auc_ci"][0], row["auc_ci"][1]),
        shown=shown,
    )


def _table(groups: Mapping[str, Sequence[Row]]) -> str:
    seen = {alpha for group in groups.values() for row in group for alpha in row["tpr_at_fpr"]}
    alphas = sorted({ALPHA, *seen}, key=float, reverse=True)
    with_interval = "<br>[95&nbsp;% interval]"
    names = ["Attack", "Access", "Queries", "UNet rows", f"AUC{with_interval}"]
    for alpha in alphas:
        names += [f"TPR at {100 * float(alpha):g} % FPR{with_interval}", "FPR reached"]
    names += ["Chosen variant", "Remark"]
    lines = [f"<thead><tr>{''.join(f'<th scope=col>{name}</th>' for name in names)}</tr></thead>"]
    for label, group in groups.items():
        sizes = sorted({(row["n_members"], row["n_nonmembers"]) for row in group})
        size = " or ".join(f"{m:,} members and {n:,} non-members" for m, n in sizes)
        heading = f"<span>{_safe(label)} ({_safe(group[0]['data'])}): {size}</span>"
        lines.append(f"<tbody><tr><th colspan={len(names)} scope=rowgroup>{heading}</th></tr>")
        for row in group:
            auc = f"{row['auc']:.3f} {interval(row['auc_ci'], '.3f')}"
            cells = [row["access"], _count(row["queries"]), _count(row["unet_rows"]), auc]
            for alpha in alphas:
                found = row["tpr_at_fpr"].get(alpha)
                cells += [percent(found), f"{100 * found['fpr']:.2f} %"] if found else [
                    "not resolvable", ""
                ]  # fmt: skip
            cells += [row["chosen"], remark(row, group)]
            tag = "<tr class=blind>" if is_blind(row) else "<tr>"
            lines.append(f"{tag}<th scope=row>{_safe(row['attack'])}</th>")
            # Variants are spelled as constructor calls, which are long and have no spaces.
            texts = (_safe(cell).replace("(", "(<wbr>") for cell in cells)
            lines.append("".join(f"<td>{text}</td>" for text in texts) + "</tr>")
        lines.append("</tbody>")
    return f"<table>{''.join(lines)}</table>"


def _skipped(skipped: Sequence[Mapping[str, Any]]) -> str:
    items = (
        f"<li><b>{_safe(row['attack'])}</b> on {_safe(row['target'])} ({_safe(row['data'])}): "
        f"{_safe(row['why'])}</li>"
        for row in skipped
    )
    return f"<h3>Not run</h3><ul>{''.join(items)}</ul>" if skipped else ""


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


def _embedded(name: str, figure: go.Figure) -> str:
    buttons = [["toImage", "resetScale2d"]]
    config = {"displaylogo": False, "responsive": True, "modeBarButtons": buttons}
    return to_html(figure, config=config, include_plotlyjs=False, full_html=False, div_id=name)


def _count(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _safe(value: object) -> str:
    return html.escape(str(value))
