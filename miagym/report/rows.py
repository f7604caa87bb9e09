"""Rows of results.json: which belong together, and which is the strongest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from miagym.results import AttackRow
from miagym.results.formats import detection

LEVELS = ("blind", "black", "grey", "white", None)

Groups = Mapping[str, Sequence[AttackRow]]
"""Rows by target, as `by_target` gives them."""


def by_target(rows: Sequence[AttackRow]) -> dict[str, list[AttackRow]]:
    """Rows by target, and by data where a target has several; each sorted by access and name."""

    def order(row: AttackRow) -> tuple[str, str, int, str, str]:
        target, data = row.target or "", row.data or ""
        return target, data, LEVELS.index(row.access), row.attack, row.protocol

    pairs = {(row.target, row.data) for row in rows}
    groups: dict[str, list[AttackRow]] = {}
    for row in sorted(rows, key=order):
        alone = sum(target == row.target for target, _ in pairs) == 1
        label = f"{row.target}" if alone else f"{row.target} with {row.data}"
        groups.setdefault(label, []).append(row)
    return groups


def blind_rows(rows: Iterable[AttackRow]) -> list[AttackRow]:
    return [row for row in rows if row.blind]


def asking_rows(rows: Iterable[AttackRow]) -> list[AttackRow]:
    """Those of attacks that look at the model."""
    return [row for row in rows if not row.blind]


def held_out(rows: list[AttackRow]) -> list[AttackRow]:
    """Those about which nothing was chosen on the test part; all, if there is none."""
    return [row for row in rows if row.held_out] or rows


def strength(row: AttackRow) -> tuple[float, float]:
    """What rows are ranked by: TPR where there is one, and then AUC."""
    found = detection(row)
    return (found.tpr if found else -1.0, row.auc)


def strongest(rows: Sequence[AttackRow]) -> AttackRow | None:
    return max(rows, key=strength, default=None)


def names_in(rows: Sequence[AttackRow]) -> int:
    """How many attacks there are, whatever their protocols."""
    return len({row.attack for row in rows})
