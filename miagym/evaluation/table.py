"""The results as a table on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

ALPHA = "0.01"


def results_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """One line for each row of results.json: no score without its interval."""
    table = Table("target", "attack", "access", title="Test part, held-out choices")
    for heading in ("queries", "UNet rows", "AUC [95 %]", "TPR@1%FPR [95 %]"):
        table.add_column(heading, justify="right", no_wrap=True)
    target = None
    for row in rows:
        if target not in (None, row["target"]):
            table.add_section()
        target = row["target"]
        table.add_row(
            target,
            row["attack"],
            row["access"],
            f"{row['queries']:g}",
            f"{row['unet_rows']:g}",
            f"{row['auc']:.3f} {_interval(row['auc_ci'])}",
            _detection(row["tpr_at_fpr"][ALPHA], row["n_nonmembers"]),
        )
    return table


def _detection(found: Mapping[str, Any] | None, n_nonmembers: int) -> str:
    if found is None:
        return f"not resolvable with n = {n_nonmembers}"
    return f"{found['tpr']:.3f} {_interval(found['ci'])}"


def _interval(ends: Iterable[float]) -> str:
    low, high = ends
    return f"[{low:.3f}–{high:.3f}]"
