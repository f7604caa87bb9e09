"""The report of a run: one HTML file, without network, the same byte for byte each time.

It is made from results.json and scores.parquet alone, holds no clock, and claims no more than the
intervals do: what does not clear the blind baselines is called "not above blind".
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
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

from miagym.evaluation.plots import Curve, auc_figure, distribution_figure, roc_figure

Row = Mapping[str, Any]
"""A row of results.json."""

ALPHA = "0.01"
"""The FPR at which attacks are compared, as results.json spells it."""
FAIR = "held-out"
"""The protocol that the finding rests on, wherever it was run."""
ACCESS = ("blind", "black", "grey", "white")


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
    groups, curves, winners = _groups(rows), [], []
    for label, group in groups.items():
        models = _fair(_models(group))
        best = _best(models) or _best(group)
        shown = [best, _best(_blind(group))]
        shown += [_best([r for r in models if r["access"] == level]) for level in ("black", "grey")]
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
        table=_table(groups),
        skipped=_skipped(run.get("skipped", ())),
        command=_safe(run["command"]),
        seed=_safe(run["seed"]),
        versions=", ".join(_safe(f"{k} {v}") for k, v in sorted(run["versions"].items())),
    )
    out.write_text(page, encoding="utf-8", newline="\n")


def finding(rows: Sequence[Row]) -> str:
    """What the run found, in one sentence that claims nothing beyond the intervals.

    Of each target it takes the attack that finds most members at 1 % false positives, or has the
    highest AUC where that is not resolvable. Held-out rows go before all others.
    """
    groups, clauses, blinds = _groups(rows), [], []
    for label, group in groups.items():
        best, blind = _best(_fair(_models(group))), _best(_blind(group))
        where = f" on {label}" if len(groups) > 1 else ""
        blinds.append(f"{_strength(blind) if blind else 'none was run'}{where}")
        if best is None:
            clauses.append(f"on {label} no attack that looks at the model was scored")
            continue
        who = "the best" if clauses else "the best attack that looks at the model"
        clause = f"on {label} {who} ({best['attack']}) "
        if _detection(best):
            clause += f"finds {_strength(best)} of members at 1 % false positives"
        else:
            clause += f"has an {_strength(best)} ({best['n_nonmembers']} non-members are too few "
            clause += "for a rate at 1 % false positives)"
        standing = _standings(best, group)[-1]
        clause += f", {standing}" if standing.startswith("not") else ""
        clauses.append(clause + ("" if best["protocol"] == FAIR else f" ({best['protocol']})"))
    if not clauses:
        return "No attack was scored."
    clauses.append(f"blind baselines that never see the model: {', '.join(blinds)}")
    sentence = "; ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by target, and by data where a target has several; each sorted by access and name."""

    def order(row: Row) -> tuple[Any, ...]:
        level = ACCESS.index(row["access"]) if row["access"] in ACCESS else len(ACCESS)
        return row["target"], row["data"], level, row["attack"], row["protocol"]

    pairs = {(row["target"], row["data"]) for row in rows}
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=order):
        alone = sum(target == row["target"] for target, _ in pairs) == 1
        label = row["target"] if alone else f"{row['target']} with {row['data']}"
        groups.setdefault(label, []).append(row)
    return groups


def _is_blind(row: Row) -> bool:
    return row["access"] == "blind" or "blind" in row["attack"].lower()


def _blind(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if _is_blind(row)]


def _models(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not _is_blind(row)]


def _fair(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["protocol"] == FAIR] or rows


def _detection(row: Row) -> Mapping[str, Any] | None:
    return row["tpr_at_fpr"].get(ALPHA)


def _best(rows: Sequence[Row]) -> Row | None:
    """The strongest row, by TPR where there is one and then by AUC."""

    def strength(row: Row) -> tuple[float, float]:
        found = _detection(row)
        return (found["tpr"] if found else -1.0, row["auc"])

    return max(rows, key=strength, default=None)


def _standings(row: Row, group: Sequence[Row]) -> list[str]:
    """How a row compares in AUC and then, where resolvable, in TPR.

    The lower end of its interval must clear the upper ends of all blind rows, and chance. That is
    stricter than a test of the difference, and so errs on the side of "not above".
    """
    blind = [] if _is_blind(row) else _blind(group)
    standings = [_standing(row["auc_ci"], [other["auc_ci"] for other in blind], 0.5)]
    if found := _detection(row):
        others = [other["ci"] for other in map(_detection, blind) if other]
        standings.append(_standing(found["ci"], others, float(ALPHA)))
    return standings


def _standing(ci: Sequence[float], blind: Sequence[Sequence[float]], chance: float) -> str:
    if blind and ci[0] <= max(other[1] for other in blind):
        return "not above blind"
    if ci[0] <= chance:
        return "not above chance"
    return "above blind" if blind else "above chance"


def _remark(row: Row, group: Sequence[Row]) -> str:
    in_auc, *rest = _standings(row, group)
    if not rest:
        remarks = [f"{in_auc} in AUC"]
    elif in_auc == rest[0]:
        remarks = [in_auc]
    else:
        remarks = [f"{rest[0]} at 1 % FPR", f"{in_auc} in AUC"]
    if _is_blind(row):
        if any(remark.startswith("above") for remark in remarks):
            remarks.append("the split itself gives members away")
    elif not _blind(group):
        remarks.append("no blind row to compare with")
    if row["attack"].endswith("+reference"):
        remarks.append("calibrated with a public reference model")
    if row["protocol"] != FAIR:
        remarks.append(f"protocol: {row['protocol']}")
    return "; ".join(remarks)


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
    interval = "<br>[95&nbsp;% interval]"
    names = ["Attack", "Access", "Queries", "UNet rows", f"AUC{interval}"]
    for alpha in alphas:
        names += [f"TPR at {100 * float(alpha):g} % FPR{interval}", "FPR reached"]
    names += ["Chosen variant", "Remark"]
    lines = [f"<thead><tr>{''.join(f'<th scope=col>{name}</th>' for name in names)}</tr></thead>"]
    for label, group in groups.items():
        sizes = sorted({(row["n_members"], row["n_nonmembers"]) for row in group})
        size = " or ".join(f"{m:,} members and {n:,} non-members" for m, n in sizes)
        heading = f"<span>{_safe(label)} ({_safe(group[0]['data'])}): {size}</span>"
        lines.append(f"<tbody><tr><th colspan={len(names)} scope=rowgroup>{heading}</th></tr>")
        for row in group:
            auc = f"{row['auc']:.3f} {_interval(row['auc_ci'], '.3f')}"
            cells = [row["access"], _count(row["queries"]), _count(row["unet_rows"]), auc]
            for alpha in alphas:
                found = row["tpr_at_fpr"].get(alpha)
                cells += [_percent(found), f"{100 * found['fpr']:.2f} %"] if found else [
                    "not resolvable", ""
                ]  # fmt: skip
            cells += [row["chosen"], _remark(row, group)]
            tag = "<tr class=blind>" if _is_blind(row) else "<tr>"
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


def _figure(
    name: str, draw: Callable[[Sequence[Curve]], go.Figure], curves: Sequence[Curve]
) -> str:
    if not curves:
        return "<p>There are no scores to draw.</p>"
    buttons = [["toImage", "resetScale2d"]]
    config = {"displaylogo": False, "responsive": True, "modeBarButtons": buttons}
    return to_html(
        draw(curves), config=config, include_plotlyjs=False, full_html=False, div_id=name
    )


def _strength(row: Row) -> str:
    found = _detection(row)
    return (
        _percent(found) if found else f"AUC of {row['auc']:.2f} {_interval(row['auc_ci'], '.2f')}"
    )


def _percent(found: Mapping[str, Any]) -> str:
    ends = [100 * end for end in found["ci"]]
    return f"{100 * found['tpr']:.1f} % {_interval(ends, '.1f')}"


def _interval(ends: Sequence[float], form: str) -> str:
    return f"[{ends[0]:{form}}\N{EN DASH}{ends[1]:{form}}]"


def _count(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _safe(value: object) -> str:
    return html.escape(str(value))
