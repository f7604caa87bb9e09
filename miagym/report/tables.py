"""The tables of the report: all numbers, and what stands behind them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from miagym.metrics.controls import NULL_TARGET
from miagym.report.finding import interval, percent, unresolved
from miagym.report.rows import ALPHA, Row, is_blind
from miagym.report.standing import remark

WITH_INTERVAL = "<br>[95&nbsp;% interval]"
Labelled = Sequence[tuple[str, Sequence[Row]]]
"""Rows of one table, by the label of their target."""


def main_table(groups: Mapping[str, Sequence[Row]], *, variants: bool = True) -> str:
    """All attacks of all targets, blind rows among them.

    Args:
        groups: rows by target, as `finding.by_target` gives them.
        variants: whether to say which variant of an attack was chosen, which takes much room.
    """
    seen = {alpha for group in groups.values() for row in group for alpha in row["tpr_at_fpr"]}
    alphas = sorted({ALPHA, *seen}, key=float, reverse=True)
    names = ["Attack", "Access", "Queries", "UNet rows", f"AUC{WITH_INTERVAL}"]
    for alpha in alphas:
        names += [f"TPR at {100 * float(alpha):g} % FPR{WITH_INTERVAL}", "FPR reached"]
    names += ["Chosen variant"] * variants + ["Remark"]
    bodies = []
    for label, group in groups.items():
        sizes = sorted({(row["n_members"], row["n_nonmembers"]) for row in group})
        size = " or ".join(f"{m:,} members and {n:,} non-members" for m, n in sizes)
        lines = []
        for row in group:
            auc = f"{row['auc']:.3f} {interval(row['auc_ci'], '.3f')}"
            cells = [row["access"], count(row["queries"]), count(row["unet_rows"]), auc]
            for alpha in alphas:
                cells += _detected(row, alpha)
            cells += [row["chosen"]] * variants + [remark(row, group)]
            lines.append(line(row["attack"], cells, blind=is_blind(row)))
        bodies.append((f"{label} ({group[0]['data']}): {size}", lines))
    return table(names, bodies)


def threshold_table(groups: Mapping[str, Sequence[Row]]) -> str:
    """What a threshold does that was fixed on the calibration part."""
    names = ["Attack", f"Balanced accuracy{WITH_INTERVAL}"]
    names += [f"TPR, set for 1 % FPR{WITH_INTERVAL}", f"FPR, set for 1 %{WITH_INTERVAL}"]
    bodies = []
    for label, group in groups.items():
        lines = []
        for row in group:
            fixed = row.get("at_threshold") or {}
            if not fixed:
                continue
            balanced, strict = fixed["balanced"], fixed.get(ALPHA)
            ends = balanced["balanced_accuracy_ci"]
            cells = [f"{balanced['balanced_accuracy']:.3f} {interval(ends, '.3f')}"]
            cells += (
                [_share(strict["tpr"], strict["tpr_ci"]), _share(strict["fpr"], strict["fpr_ci"])]
                if strict
                else ["calibration part too small", ""]
            )
            lines.append(line(row["attack"], cells, blind=is_blind(row)))
        if lines:
            bodies.append((label, lines))
    return table(names, bodies) if bodies else ""


def control_table(labelled: Labelled) -> str:
    """Controls, a line for each kind: how many passed, and which did not."""
    names = ["Control", "Attacks", "Mean AUC", "Lowest and highest", "Outcome"]
    bodies = []
    for label, controls in labelled:
        lines = []
        for kind in dict.fromkeys(control["control"] for control in controls):
            own = [control for control in controls if control["control"] == kind]
            aucs = [control["auc"] for control in own]
            failed = [control["attack"] for control in own if not control["passed"]]
            outcome = "as it must be" if not failed else f"FAILED for {', '.join(failed)}"
            cells = [str(len(own)), f"{sum(aucs) / len(aucs):.3f}"]
            lines.append(line(kind, [*cells, interval([min(aucs), max(aucs)], ".3f"), outcome]))
        if NULL_TARGET not in {control["control"] for control in controls}:
            missing = "not run: name a target that saw neither side with --null"
            lines.append(line(NULL_TARGET, ["0", "", "", missing]))
        bodies.append((label, lines))
    return table(names, bodies)


def gap_table(labelled: Labelled) -> str:
    """The paper's optimistic protocol beside held-out choices, on the same draws."""
    names = ["Attack", "Candidates", "Draws", "Variants", "Paper: AUC<br>(optimistic)"]
    names += ["Held-out: AUC", "Paper: TPR at 1 % FPR<br>(optimistic)", "Held-out: TPR", "Flattery"]
    bodies = []
    for label, gaps in labelled:
        lines = []
        for gap in gaps:
            paper, ours = gap["paper"], gap["held_out"]
            cells = [f"{gap['n_members']} + {gap['n_nonmembers']} ({gap['part']})"]
            cells += [f"{gap['draws']} of {gap['drawn']} + {gap['drawn']}", str(gap["variants"])]
            cells += [_spread(paper["auc"], 1, 3), _spread(ours["auc"], 1, 3)]
            if paper["tpr"]:
                cells += [_spread(paper["tpr"], 100, 1), _spread(ours["tpr"], 100, 1)]
                cells.append(f"{100 * (paper['tpr']['mean'] - ours['tpr']['mean']):+.1f} points")
            else:
                cells += ["not resolvable", "not resolvable"]
                cells.append(f"{paper['auc']['mean'] - ours['auc']['mean']:+.3f} AUC")
            lines.append(line(gap["attack"], cells))
        bodies.append((label, lines))
    return table(names, bodies)


def comparison_table(labelled: Labelled) -> str:
    """Paired differences, attack by attack."""
    names = ["Attack", "Against", f"Difference in AUC{WITH_INTERVAL}", "p, corrected"]
    names += [f"Difference in TPR at 1 % FPR{WITH_INTERVAL}"]
    bodies = []
    for label, rows in labelled:
        lines = []
        for row in rows:
            cells = [f"{row['against']} ({row['kind']})"]
            in_auc, in_tpr = row["auc"], row["tpr_at_fpr"][ALPHA]
            cells += [f"{in_auc['difference']:+.3f} {interval(in_auc['ci'], '+.3f')}"]
            cells += [f"{row['p_holm']:.2g}"]
            if in_tpr is None:
                cells.append("not resolvable")
            else:
                ends = interval([100 * end for end in in_tpr["ci"]], "+.1f")
                cells.append(f"{100 * in_tpr['difference']:+.1f} {ends} points")
            lines.append(line(row["attack"], cells))
        bodies.append((label, lines))
    return table(names, bodies)


def count(value: float) -> str:
    """A number of queries or rows."""
    return f"{value:,.1f}".removesuffix(".0")


def safe(value: object) -> str:
    """Text for HTML."""
    return html.escape(str(value))


def _detected(row: Row, alpha: str) -> list[str]:
    found = row["tpr_at_fpr"].get(alpha)
    if not found:
        return [unresolved(row), ""]
    return [percent(found), f"{100 * found['fpr']:.2f} %"]


def _share(value: float, ends: Sequence[float]) -> str:
    return f"{100 * value:.1f} % {interval([100 * end for end in ends], '.1f')}"


def _spread(spread: Mapping[str, float], scale: float, digits: int) -> str:
    unit = " %" if scale == 100 else ""
    return f"{scale * spread['mean']:.{digits}f} ± {scale * spread['std']:.{digits}f}{unit}"


def line(name: str, cells: Iterable[str], *, blind: bool = False) -> str:
    """A line of a table."""
    # Variants are spelled as constructor calls, which are long and have no spaces.
    texts = (safe(cell).replace("(", "(<wbr>") for cell in cells)
    tag = "<tr class=blind>" if blind else "<tr>"
    return (
        f"{tag}<th scope=row>{safe(name)}</th>{''.join(f'<td>{text}</td>' for text in texts)}</tr>"
    )


def table(names: Sequence[str], bodies: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table with a body, under a heading of its own, for each target."""
    heads = "".join(f"<th scope=col>{name}</th>" for name in names)
    parts = [f"<thead><tr>{heads}</tr></thead>"]
    for heading, lines in bodies:
        span = f"<th colspan={len(names)} scope=rowgroup><span>{safe(heading)}</span></th>"
        parts.append(f"<tbody><tr>{span}</tr>{''.join(lines)}</tbody>")
    return f"<table>{''.join(parts)}</table>"
