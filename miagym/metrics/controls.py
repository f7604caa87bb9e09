"""Negative controls: AUCs of the same scores where there is nothing to find.

A control repeats the measurement with labels that mean nothing. Its AUC must be near 0.5, and the
intervals that stand in every table must hold 0.5 as often as they promise; if not, no number of
that attack can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.metrics.auc import Interval, auc, delong
from miagym.metrics.groups.clustered_auc import ClusteredScores, auc_of
from miagym.metrics.groups.clusters import Codes, group_codes
from miagym.metrics.groups.shuffles import blocks, dealt_labels

LABEL_SHUFFLE = "label shuffle"
NONMEMBERS = "non-members against non-members"
NULL_TARGET = "null target"

REPETITIONS = 200
CONFIDENCE = 0.95
ALARM = 0.02
"""How often chance alone makes any control of a run fail; they share it (Bonferroni)."""
KINDS = 3
"""Controls of each attack, at most."""


def alarm_of_each(attacks: int) -> float:
    """How often chance alone may make a single control fail, of so many attacks in a run."""
    return ALARM / (KINDS * max(1, attacks))


@dataclass(frozen=True)
class Control:
    """Result of a negative control, where the AUC should be one half."""

    name: str
    """`LABEL_SHUFFLE`, `NONMEMBERS` or `NULL_TARGET`."""
    n_members: int
    n_nonmembers: int
    repetitions: int
    auc: float
    """Of a single measurement, or the mean of the repetitions."""
    auc_ci: Interval
    """Of a single measurement the interval, else where 95 % of the repetitions lie."""
    coverage: float | None
    """Share of the repetitions whose own 95 % interval held 0.5; None of a single one."""
    p_value: float | None
    """Of a label shuffle: how often chance made an AUC as high as that of the true labels."""
    passed: bool

    def as_row(self) -> dict[str, Any]:
        """As it stands in results.json."""
        row = {key: value for key, value in vars(self).items() if key != "name"}
        return {"control": self.name, **row, "auc_ci": list(self.auc_ci)}


def label_shuffle(
    scores: ArrayLike,
    member: NDArray[np.bool_],
    seed: int,
    groups: ArrayLike | None = None,
    attacks: int = 1,
) -> Control:
    """Control of scores (n,) under shuffled labels (n,), as many members as before.

    Its p-value is that of a permutation test, one-sided, at least 1 / (1 + repetitions). Groups
    (n,) are dealt as wholes. `attacks` is how many the run has, which share its false alarms.
    """
    score = np.asarray(scores, dtype=np.float64)
    codes = group_codes(groups, len(score))
    block = None if codes is None else blocks(codes, member)
    aucs, held = _repeated(score, _dealt(member, block, seed), codes)
    true = auc(score[member], score[~member])
    p_value = (1 + np.sum(aucs >= true - 1e-12)) / (1 + REPETITIONS)
    return _control(LABEL_SHUFFLE, member, aucs, held, float(p_value), alarm_of_each(attacks))


def nonmembers_against_nonmembers(
    scores: ArrayLike,
    member: NDArray[np.bool_],
    seed: int,
    groups: ArrayLike | None = None,
    attacks: int = 1,
) -> Control | None:
    """Control that takes half of the non-members for members; None if they are fewer than 4.

    Groups (n,) stay whole, and 4 of them are needed.
    """
    nonmembers = np.asarray(scores, dtype=np.float64)[~member]
    given = None if groups is None else np.asarray(groups)[~member]
    codes = group_codes(given, len(nonmembers))
    if (len(nonmembers) if codes is None else len(np.unique(codes))) < 4:
        return None
    half = np.arange(len(nonmembers)) < len(nonmembers) // 2
    aucs, held = _repeated(nonmembers, _dealt(half, codes, seed), codes)
    return _control(NONMEMBERS, half, aucs, held, None, alarm_of_each(attacks))


def null_target(
    scores: ArrayLike,
    member: NDArray[np.bool_],
    groups: ArrayLike | None = None,
    attacks: int = 1,
) -> Control:
    """Control of scores (n,) on a target which saw neither side, or both alike."""
    score = np.asarray(scores, dtype=np.float64)
    codes = group_codes(groups, len(score))
    low, high = auc_of(score, member, codes, 1 - alarm_of_each(attacks))[1]
    area, area_ci = auc_of(score, member, codes, CONFIDENCE)
    return Control(
        name=NULL_TARGET,
        n_members=int(member.sum()),
        n_nonmembers=int((~member).sum()),
        repetitions=1,
        auc=area,
        auc_ci=area_ci,
        coverage=None,
        p_value=None,
        passed=low <= 0.5 <= high,
    )


def _dealt(
    labels: NDArray[np.bool_], block: NDArray[np.intp] | None, seed: int
) -> Iterator[NDArray[np.bool_]]:
    """Labels (n,) dealt anew, one by one or by whole blocks."""
    if block is not None:
        return dealt_labels(block, int(labels.sum()), seed, REPETITIONS)
    rng = np.random.default_rng(seed)
    return (rng.permutation(labels) for _ in range(REPETITIONS))


def _repeated(
    scores: NDArray[np.float64], labels: Iterator[NDArray[np.bool_]], codes: Codes | None
) -> tuple[NDArray[np.float64], int]:
    """AUC under each labelling, and how many of their intervals hold 0.5."""
    measured = _by_counts(scores) if codes is None else ClusteredScores.of(scores, codes).auc
    aucs, held = [], 0
    for label in labels:
        if label.all() or not label.any():  # one group is nearly everything
            continue
        value, (low, high) = measured(label)
        aucs.append(value)
        held += low <= 0.5 <= high
    return np.array(aucs), held


def _by_counts(
    scores: NDArray[np.float64],
) -> Callable[[NDArray[np.bool_]], tuple[float, Interval]]:
    """AUC and interval of a labelling, without sorting the scores anew."""
    distinct, place = np.unique(scores, return_inverse=True)
    everything = np.bincount(place, minlength=len(distinct))

    def measured(label: NDArray[np.bool_]) -> tuple[float, Interval]:
        members = np.bincount(place[label], minlength=len(distinct))
        return delong(members, everything - members)

    return measured


def _control(
    name: str,
    member: NDArray[np.bool_],
    aucs: NDArray[np.float64],
    held: int,
    p_value: float | None,
    alarm: float,
) -> Control:
    from scipy.stats import binomtest

    low, high = np.quantile(aucs, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    too_few = binomtest(held, len(aucs), CONFIDENCE, alternative="less").pvalue
    return Control(
        name=name,
        n_members=int(member.sum()),
        n_nonmembers=int((~member).sum()),
        repetitions=len(aucs),
        auc=float(aucs.mean()),
        auc_ci=(float(low), float(high)),
        coverage=held / len(aucs),
        p_value=p_value,
        passed=bool(too_few >= alarm),
    )
