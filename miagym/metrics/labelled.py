"""Scores with labels: best variants, thresholds fixed beforehand, comparisons between attacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.auc import Interval, auc
from miagym.metrics.comparisons.comparison import compare, holm
from miagym.metrics.groups.clustered_auc import auc_of
from miagym.metrics.groups.clusters import Codes, group_codes
from miagym.metrics.thresholds import at_threshold, balanced_threshold, threshold_for

Row = dict[str, Any]
ALPHA = 0.01
"""The FPR at which a threshold is fixed on the calibration part."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Scores (n,), higher = member, labels (n,), and groups (n,) if candidates come in groups."""

    score: NDArray[np.float64]
    member: NDArray[np.bool_]
    groups: NDArray[np.integer] | None = field(default=None, kw_only=True)

    @property
    def sides(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores of members, and of non-members."""
        return self.score[self.member], self.score[~self.member]

    @property
    def codes(self) -> Codes | None:
        """Group numbers (n,) from 0; None if all candidates are independent."""
        return group_codes(self.groups, len(self.score))

    @property
    def sides_groups(self) -> tuple[Codes, Codes] | None:
        """Group numbers of members, and of non-members."""
        codes = self.codes
        return None if codes is None else (codes[self.member], codes[~self.member])

    @property
    def auc_interval(self) -> Interval:
        """95 % interval of the AUC."""
        return auc_of(self.score, self.member, self.codes)[1]


L = TypeVar("L", bound=Labelled)


def best_variant(scores: Mapping[str, Labelled]) -> str:
    """The variant with the highest calibration AUC; the earlier one wins a tie."""
    aucs = {name: auc(*labelled.sides) for name, labelled in scores.items()}
    return max(aucs, key=lambda name: aucs[name])


def fixed_beforehand(calibration: Labelled, test: Labelled) -> dict[str, Row]:
    """Rates on the test part of thresholds that were fixed on the calibration part.

    Returns:
        "balanced" for the one of the best balanced accuracy, "0.01" for that of an FPR of 1 %,
        unless the calibration part is too small for it.
    """
    members, nonmembers = calibration.sides
    thresholds = {
        "balanced": balanced_threshold(members, nonmembers),
        str(ALPHA): threshold_for(nonmembers, ALPHA),
    }
    return {
        kind: at_threshold(*test.sides, threshold, test.sides_groups).as_row()
        for kind, threshold in thresholds.items()
        if threshold is not None
    }


def _as_they_stand(scores: L, _: L) -> L | None:
    return scores


def comparisons(
    scores: Mapping[str, L],
    asking: Sequence[str],
    seed: int,
    align: Callable[[L, L], L | None] = _as_they_stand,
) -> list[Row]:
    """Comparisons of each attack with the strongest blind row, and with the best attack.

    P-values are two-sided, of the difference in AUC. The rivals are picked by the same scores, and
    the strongest of many is so by luck too; so `p_holm` is corrected for all pairs that might have
    been compared, whichever had been the strongest: their number is `compared`.

    Args:
        scores: by attack, on the same candidates in the same order.
        asking: names of the attacks that look at the model; the others are blind.
        seed: of the bootstrap.
        align: puts the candidates of an attack into the order of its rival; None if they are not
            the same, and then there is no comparison.
    """
    blind = [name for name in scores if name not in asking]
    rows = []
    k = len(asking)
    pairs = {"strongest blind row": k * len(blind), "best attack": k * (k - 1) // 2}
    for kind, rivals in zip(pairs, (blind, asking), strict=True):
        rival = max(rivals, key=lambda name: auc(*scores[name].sides), default=None)
        if rival is None:
            continue
        theirs = scores[rival]
        found = {
            name: compare(ours.score, theirs.score, theirs.member, seed, theirs.groups)
            for name in asking
            if name != rival and (ours := align(scores[name], theirs)) is not None
        }
        corrected = holm([comparison.auc.p for comparison in found.values()], pairs[kind])
        for (name, comparison), p in zip(found.items(), corrected, strict=True):
            about = {"attack": name, "against": rival, "kind": kind}
            rows.append({**about, **comparison.as_row(), "p_holm": p, "compared": pairs[kind]})
    return rows
