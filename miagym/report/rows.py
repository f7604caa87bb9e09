"""Rows of results.json: which belong together, and which is the strongest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
"""A row of results.json."""

ALPHA = "0.01"
"""The FPR at which attacks are compared, as results.json spells it."""
FAIR = "held-out"
"""The protocol that the finding rests on, wherever it was run."""
ACCESS = ("blind", "black", "grey", "white")


def by_target(rows: Sequence[Row]) -> dict[str, list[Row]]:
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


def is_blind(row: Row) -> bool:
    return row["access"] == "blind" or "blind" in row["attack"].lower()


def blind_rows(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if is_blind(row)]


def asking_rows(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not is_blind(row)]


def held_out(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["protocol"] == FAIR] or rows


def detection(row: Row) -> Mapping[str, Any] | None:
    return row["tpr_at_fpr"].get(ALPHA)


def strongest(rows: Sequence[Row]) -> Row | None:
    """The strongest row, by TPR where there is one and then by AUC."""

    def strength(row: Row) -> tuple[float, float]:
        found = detection(row)
        return (found["tpr"] if found else -1.0, row["auc"])

    return max(rows, key=strength, default=None)


def names_in(rows: Sequence[Row]) -> int:
    """How many attacks there are, whatever their protocols."""
    return len({row["attack"] for row in rows})
