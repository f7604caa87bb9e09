"""Verdict of an audit at a known rate of false alarms: one test over all that was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from miagym.results import AuditView

MAX_FALSE_ALARMS = 0.03
"""Share of fair splits that may be called shifted: below 5 %, since near-duplicates make the
shuffles only nearly exact."""

MIN_RELEVANT_AUC = 0.6
"""AUC of a blind row from which a shift matters: published attacks on large models lie below it."""

MIN_ROWS = 100
"""Rows a side that "fair" asks for, whatever the intervals say."""

REPEATS = "repeated captions"
"""The blind row of captions where rows of the same words may teach each other."""

UNLESS = (
    " Such a split is fair only if it was dealt by caption, all rows of the same words to one "
    "side; if it was, say so with a column `group`."
)
"""What is said of a split whose repeated captions tell more than anything else."""


Name = TypeVar("Name")


class AuditVerdict(StrEnum):
    """Verdict of an audit on a split."""

    FAIR = "fair"
    SHIFTED = "shifted"
    TOO_SMALL = "too small"


@dataclass(frozen=True)
class TestFinding:
    """Finding of a test other than the blind rows, in words, with its p-value."""

    words: str
    p: float


def family_p(statistics: Mapping[Name, NDArray[np.float64]]) -> dict[Name, float]:
    """Corrected p-value of each test: Westfall & Young (1993), single step.

    Each statistic is put on one scale by its mean and spread over all columns; a test's p-value is
    the share of columns whose largest statistic reaches it. The smallest of them is exact for "the
    labels were dealt at random", however the tests depend on each other.

    Args:
        statistics: by test, its values (b,) on the labels in question and on b - 1 shuffles of
            them; larger = more shifted.
    """
    values = np.nan_to_num(np.array(list(statistics.values())))
    spread = values.std(axis=1, keepdims=True)
    scaled = (values - values.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    largest = scaled.max(axis=0)
    return {
        name: float(np.mean(largest >= row[0] - 1e-9))
        for name, row in zip(statistics, scaled, strict=True)
    }


def audit_verdict(
    blind: Sequence[AuditView],
    others: Sequence[TestFinding],
    sides: tuple[int, int],
    among: int = 1,
) -> tuple[AuditVerdict, str]:
    """Verdict on the split, and why in a sentence or two.

    Args:
        blind: the blind rows, not empty.
        others: what the other tests found.
        sides: number of members and of non-members.
        among: how many data sets are audited together: each has its share of the false alarms.
    """
    allowed = MAX_FALSE_ALARMS / among
    n = f"{sides[0]:,} members and {sides[1]:,} non-members"
    clearest = _clearest(blind)
    widest = max(blind, key=lambda row: row.auc_ci[1])
    found = min(others, key=lambda other: other.p)
    p = min(clearest.p, found.p)
    if p <= allowed:
        what = (
            blind_row_in_words(clearest)
            if clearest.p <= allowed
            else f"{blind_row_in_words(clearest)}, but {found.words}"
        )
        by_heart = UNLESS if clearest.view == REPEATS and clearest.p <= allowed else ""
        return AuditVerdict.SHIFTED, (
            f"Without a model, {what}. Of splits dealt at random ({n}), at most {100 * p:.2g} % "
            f"look this uneven (p = {p:.3f}).{by_heart}"
        )
    if min(sides) < MIN_ROWS or widest.auc_ci[1] >= MIN_RELEVANT_AUC:
        return AuditVerdict.TOO_SMALL, (
            f"Nothing was found, but {n} are too few to rule out a shift that matters (an AUC of "
            f"{MIN_RELEVANT_AUC}). Without a model, {blind_row_in_words(widest)}."
        )
    below = " (below 0.5: dealt to be alike)" if widest.auc_ci[1] < 0.5 else ""
    return AuditVerdict.FAIR, (
        f"Without a model, {blind_row_in_words(widest)}{below} at best; {100 * p:.0f} % of "
        f"splits dealt at random ({n}) look as uneven, and a shift that matters (an AUC of "
        f"{MIN_RELEVANT_AUC}) would have shown."
    )


def _clearest(blind: Sequence[AuditView]) -> AuditView:
    """The most telling row; captions known by heart only if they tell more than all others do."""
    plain = min((row for row in blind if row.view != REPEATS), key=_unlikely)
    for row in blind:
        more = row.p < plain.p or row.auc_ci[0] > plain.auc_ci[1]
        if row.view == REPEATS and row.p <= plain.p and more:
            return row
    return plain


def _unlikely(row: AuditView) -> tuple[float, float]:
    return row.p, -row.auc


def blind_row_in_words(row: AuditView) -> str:
    """Blind row in words: "captions tell the sides apart with an AUC of 0.612 [0.59, 0.63]"."""
    low, high = row.auc_ci
    verb = "tell" if row.view.endswith("s") else "tells"
    view = "everything together" if row.view == "all" else row.view
    auc = f"{row.auc:.3f} [{low:.3f}, {high:.3f}]"
    return f"{view} {verb} the sides apart with an AUC of {auc}"
