"""Negative controls: AUCs of the same scores where there is nothing to find.

A control repeats the measurement with labels that mean nothing. Its AUC must be near 0.5, and the
intervals that stand in every table must hold 0.5 as often as they promise; if not, no number of
that attack can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from miagym.metrics.auc import Interval, auc, auc_interval, delong

LABEL_SHUFFLE = "label shuffle"
NONMEMBERS = "non-members against non-members"
NULL_TARGET = "null target"

REPETITIONS = 200
CONFIDENCE = 0.95
ALARM = 0.001
"""A control fails where chance alone would make it fail less often than this: runs have many."""


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


def label_shuffle(scores: ArrayLike, member: NDArray[np.bool_], seed: int) -> Control:
    """Control of scores (n,) under shuffled labels (n,), as many members as before.

    Its p-value is that of a permutation test, one-sided, at least 1 / (1 + repetitions).
    """
    score = np.asarray(scores, dtype=np.float64)
    rng = np.random.default_rng(seed)
    shuffles = (rng.permutation(member) for _ in range(REPETITIONS))
    aucs, held = _repeated(score, shuffles)
    true = auc(score[member], score[~member])
    p_value = (1 + np.sum(aucs >= true - 1e-12)) / (1 + REPETITIONS)
    return _control(LABEL_SHUFFLE, member, aucs, held, float(p_value))


def nonmembers_against_nonmembers(
    scores: ArrayLike, member: NDArray[np.bool_], seed: int
) -> Control | None:
    """Control that takes half of the non-members for members; None if they are fewer than 4."""
    nonmembers = np.asarray(scores, dtype=np.float64)[~member]
    if len(nonmembers) < 4:
        return None
    rng = np.random.default_rng(seed)
    half = np.arange(len(nonmembers)) < len(nonmembers) // 2
    aucs, held = _repeated(nonmembers, (rng.permutation(half) for _ in range(REPETITIONS)))
    return _control(NONMEMBERS, half, aucs, held, None)


def null_target(scores: ArrayLike, member: NDArray[np.bool_]) -> Control:
    """Control of scores (n,) on a target which saw neither side, or both alike."""
    score = np.asarray(scores, dtype=np.float64)
    sides = score[member], score[~member]
    low, high = auc_interval(*sides, confidence=1 - ALARM)
    return Control(
        name=NULL_TARGET,
        n_members=len(sides[0]),
        n_nonmembers=len(sides[1]),
        repetitions=1,
        auc=auc(*sides),
        auc_ci=auc_interval(*sides, confidence=CONFIDENCE),
        coverage=None,
        p_value=None,
        passed=low <= 0.5 <= high,
    )


def _repeated(
    scores: NDArray[np.float64], labels: Iterator[NDArray[np.bool_]]
) -> tuple[NDArray[np.float64], int]:
    """AUC under each labelling, and how many of their intervals hold 0.5."""
    distinct, place = np.unique(scores, return_inverse=True)
    everything = np.bincount(place, minlength=len(distinct))
    aucs, held = [], 0
    for label in labels:
        members = np.bincount(place[label], minlength=len(distinct))
        value, (low, high) = delong(members, everything - members)
        aucs.append(value)
        held += low <= 0.5 <= high
    return np.array(aucs), held


def _control(
    name: str,
    member: NDArray[np.bool_],
    aucs: NDArray[np.float64],
    held: int,
    p_value: float | None,
) -> Control:
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
        passed=bool(too_few >= ALARM),
    )
