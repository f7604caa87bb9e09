"""The results as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from miagym.report.finding import interval, percent, unresolved
from miagym.report.rows import Row, by_target, detection
from miagym.report.standing import remark


def results_tables(rows: Iterable[Row]) -> Iterator[Table]:
    """A table for each target, blind rows first; no score without its interval."""
    for label, group in by_target(list(rows)).items():
        n, protocol = (
            f"{group[0]['n_members']:,} + {group[0]['n_nonmembers']:,}",
            group[0]["protocol"],
        )
        table = Table(
            title=escape(f"{label} ({group[0]['data']}, {n} candidates, {protocol})"),
            title_justify="left",
            box=SIMPLE_HEAD,
        )
        table.add_column("attack", overflow="fold")
        table.add_column("access", no_wrap=True)
        for heading in ("queries", "UNet rows", "AUC [95 %]", "TPR@1%FPR [95 %]"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("remark", overflow="fold")
        for row in group:
            table.add_row(
                escape(row["attack"]),
                row["access"],
                f"{row['queries']:g}",
                f"{row['unet_rows']:g}",
                f"{row['auc']:.3f} {escape(interval(row['auc_ci'], '.3f'))}",
                escape(percent(found)) if (found := detection(row)) else unresolved(row),
                escape(remark(row, group)),
            )
        yield table
