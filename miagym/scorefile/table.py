"""A score file's numbers on the terminal: tables, and the finding in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from miagym.metrics.detection import not_resolvable
from miagym.report.finding import finding, interval, percent
from miagym.report.rows import ALPHA, Row, by_target
from miagym.report.standing import remark
from miagym.scorefile.sheet import ScoreSheet

FINER = "0.001"
"""The FPR of the second TPR, where it is resolvable."""


def sheet_tables(sheet: ScoreSheet, file: str) -> Iterator[Table]:
    """Every section that holds something; no number without its interval or spread.

    Args:
        sheet: what was measured.
        file: what the table calls a target without a name.
    """
    for label, group in by_target(_named(sheet.rows, file)).items():
        yield _rows(label, group)
        fixed = [row for row in group if row["at_threshold"]]
        if fixed:
            yield _thresholds(fixed)
    several = len({(row["target"], row["data"]) for row in sheet.rows}) > 1
    sections = (
        (_controls, sheet.controls),
        (_protocols, sheet.protocols),
        (_comparisons, sheet.comparisons),
    )
    if distances := [row for row in sheet.rows if row["wasserstein"]]:
        yield _distances([{**row, "attack": _attack(row, several)} for row in distances])
    for draw, rows in sections:
        if rows:
            yield draw([{**row, "attack": _attack(row, several)} for row in rows])


def conclusion(sheet: ScoreSheet, file: str) -> str:
    """What was found, in a sentence that claims nothing beyond the intervals."""
    return finding(_named(sheet.rows, file))


def _attack(row: Row, several: bool) -> str:
    """The attack, and on what where that is not plain."""
    return f"{row['attack']} on {row['target']}" if several else row["attack"]


def _named(rows: Iterable[Row], file: str) -> list[Row]:
    unknown = {"target": file, "data": "scores", "access": ""}
    return [
        {**row, **{key: row[key] or instead for key, instead in unknown.items()}} for row in rows
    ]


def _rows(label: str, group: Sequence[Row]) -> Table:
    sizes = sorted({(row["n_members"], row["n_nonmembers"]) for row in group})
    size = " or ".join(f"{m:,} members and {n:,} non-members" for m, n in sizes)
    finer = [FINER] if any(row["tpr_at_fpr"].get(FINER) for row in group) else []
    numbers = [f"TPR@{100 * float(alpha):g}%FPR [95 %]" for alpha in (ALPHA, *finer)]
    headings = ("AUC [95 %]", numbers[0], "FPR", *numbers[1:])
    table = _table(f"{label}: {size}", ("attack", "remark"), headings)
    for row in group:
        found = row["tpr_at_fpr"].get(ALPHA)
        table.add_row(
            escape(row["attack"]),
            escape(remark(row, group)),
            _auc(row),
            _detection(found, row),
            f"{100 * found['fpr']:.2f} %" if found else "",
            *(_detection(row["tpr_at_fpr"].get(alpha), row) for alpha in finer),
        )
    return table


def _thresholds(rows: Sequence[Row]) -> Table:
    table = _table(
        "Thresholds fixed on the calibration part, on the test part",
        ("attack", "threshold"),
        ("TPR [95 %]", "FPR [95 %]", "balanced accuracy [95 %]"),
    )
    for row in rows:
        for kind, at in row["at_threshold"].items():
            meant = "best balanced accuracy" if kind == "balanced" else f"{float(kind):.0%} FPR"
            table.add_row(
                escape(row["attack"]),
                meant,
                _share(at["tpr"], at["tpr_ci"]),
                _share(at["fpr"], at["fpr_ci"]),
                _share(at["balanced_accuracy"], at["balanced_accuracy_ci"]),
            )
    return table


def _distances(rows: Sequence[Row]) -> Table:
    table = _table(
        "Wasserstein distance of members' and non-members' scores, in units of the score",
        ("attack",),
        ("distance [95 %]", "below this in 95 % of label shuffles"),
    )
    for row in rows:
        found = row["wasserstein"]
        ends = escape(interval(found["ci"], ".3g")) if found["ci"] else "\N{EN DASH}"
        value = f"{found['value']:.3g} {ends}"
        table.add_row(escape(row["attack"]), value, f"{found['chance']:.3g}")
    return table


def _controls(controls: Sequence[Row]) -> Table:
    table = _table(
        "Controls, where there is nothing to find: AUC near 0.5, coverage near 95 %",
        ("attack", "control", "passed"),
        ("AUC [95 %]", "coverage", "p of the true labels"),
    )
    for control in controls:
        coverage, p = control["coverage"], control["p_value"]
        table.add_row(
            escape(control["attack"]),
            control["control"],
            "yes" if control["passed"] else "NO",
            _auc(control),
            "" if coverage is None else f"{100 * coverage:.1f} %",
            "" if p is None else _p(p),
        )
    return table


def _protocols(protocols: Sequence[Row]) -> Table:
    table = _table(
        "The paper's protocol (best variant on the same data: optimistic) against held-out choices",
        ("attack", "part", "protocol", "variant"),
        ("AUC, mean ± std", "TPR@1%FPR, mean ± std"),
    )
    for gap in protocols:
        for protocol in ("paper", "held_out"):
            outcome = gap[protocol]
            auc, tpr = outcome["auc"], outcome["tpr"]
            table.add_row(
                escape(gap["attack"]),
                gap["part"],
                "held-out" if protocol == "held_out" else "paper (optimistic)",
                escape(outcome["chosen"]),
                f"{auc['mean']:.3f} ± {auc['std']:.3f}",
                f"{100 * tpr['mean']:.1f} ± {100 * tpr['std']:.1f} %" if tpr else "not resolvable",
            )
    return table


def _comparisons(comparisons: Sequence[Row]) -> Table:
    table = _table(
        "Paired differences on the same candidates",
        ("attack", "against", "which is the"),
        ("AUC difference [95 %]", "p", "p, Holm", "TPR@1%FPR difference, points"),
    )
    for row in comparisons:
        auc, tpr = row["auc"], row["tpr_at_fpr"][ALPHA]
        table.add_row(
            escape(row["attack"]),
            escape(row["against"]),
            row["kind"],
            f"{auc['difference']:+.3f} {escape(interval(auc['ci'], '+.3f'))}",
            _p(auc["p"]),
            _p(row["p_holm"]),
            _points(tpr) if tpr else not_resolvable(row["n_nonmembers"]),
        )
    return table


def _points(tpr: Mapping[str, Any]) -> str:
    """A difference of shares, in percentage points."""
    ends = [100 * end for end in tpr["ci"]]
    return f"{100 * tpr['difference']:+.1f} {escape(interval(ends, '+.1f'))}"


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """Columns of words left (the first one first), columns of numbers right."""
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD)
    for heading in words:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(escape(heading), justify="right", no_wrap=True)
    return table


def _auc(row: Row) -> str:
    return f"{row['auc']:.3f} {escape(interval(row['auc_ci'], '.3f'))}"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _share(value: float, ends: Sequence[float]) -> str:
    return escape(percent({"tpr": value, "ci": ends}))


def _detection(found: Mapping[str, Any] | None, row: Row) -> str:
    if found is None:
        return not_resolvable(row["n_nonmembers"])
    return escape(percent(found))
