"""A score file's numbers as tables, and the finding in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from miagym.report.finding import finding
from miagym.report.model import Table
from miagym.report.rows import by_target
from miagym.report.tables.evaluation import main_table, threshold_table
from miagym.report.tables.statistics import (
    T,
    comparison_table,
    control_table,
    distance_table,
    optimism_table,
)
from miagym.scorefile.sheet import ScoreSheet


def sheet_tables(sheet: ScoreSheet, file: str) -> Iterator[Table]:
    """Every section that holds something; no number without its interval or spread.

    Args:
        sheet: what was measured.
        file: what tables call a target without a name.
    """
    groups = by_target(_named(sheet.rows, file))
    yield main_table(groups)
    others = (
        threshold_table(groups),
        distance_table(_named(sheet.rows, file)),
        control_table(_named(sheet.controls, file)),
        optimism_table(_named(sheet.protocols, file)),
        comparison_table(_named(sheet.comparisons, file)),
    )
    yield from (table for table in others if table)


def closing(sheet: ScoreSheet, file: str) -> Iterator[str]:
    """What epsilon is proven, and what was found, claiming nothing beyond the intervals."""
    proven = [f"{attack} {epsilon:.2f}" for attack, epsilon in sheet.epsilons.items()]
    if proven:
        yield (
            "Empirical epsilon (delta 0) is at least, with 95 % confidence, at the thresholds "
            f"fixed for 1 % FPR: {', '.join(proven)}."
        )
    yield finding(_named(sheet.rows, file))


def _named(records: Iterable[T], file: str) -> list[T]:
    return [
        record.model_copy(update={"target": file}) if record.target is None else record
        for record in records
    ]
