"""One number over several runs: seeds of one target, or targets of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from miagym.errors import DataError
from miagym.metrics.auc import Interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class OverRuns:
    """A number over several runs.

    Args:
        mean: over the runs.
        ci: 95 %, over candidates and runs.
        spread: standard deviation between the runs.
    """

    mean: float
    ci: Interval
    spread: float


def over_runs(values: Sequence[float], intervals: Sequence[Interval], *, shared: bool) -> OverRuns:
    """Mean of a number in [0, 1] over runs, with an interval over candidates and runs.

    Two parts make the interval. What differs between runs, seeds or models, is seen in their
    spread s: t s / sqrt(k), with the t quantile of k - 1 degrees of freedom, so that few runs say
    little of others. What differs between candidates is in the runs' own intervals. Where runs
    share candidates, these parts are the same luck in each run, and the mean of many runs is no
    surer of it than one: their mean stands beside the spread, and squares add, end by end (method
    of variance estimates recovery, Zou and Donner 2008, Stat. Med. 27). Where no candidate is
    shared, the spread holds that luck already; the interval is then at least what the runs' own
    come to if they are independent.

    Args:
        values: of each run (k).
        intervals: 95 %, of each run (k), over candidates alone.
        shared: whether runs have candidates in common.

    Raises:
        DataError: if there is one run only.
    """
    k, each, ends = len(values), np.array(values), np.array(intervals)
    if k < 2:
        raise DataError(f"Expected several runs to tell what differs between them, got {k}.")
    mean, spread = float(each.mean()), float(each.std(ddof=1))
    between = float(stdtrit(k - 1, (1 + CONFIDENCE) / 2)) * spread / np.sqrt(k)
    below, above = (
        _reach(side, between, shared) for side in (each - ends[:, 0], ends[:, 1] - each)
    )
    return OverRuns(mean, (max(0.0, mean - below), min(1.0, mean + above)), spread)


def _reach(within: NDArray[np.float64], between: float, shared: bool) -> float:
    """How far one end of the interval lies from the mean."""
    if shared:
        return float(np.hypot(within.mean(), between))
    return float(max(np.sqrt((within**2).sum()) / len(within), between))
