"""Wasserstein distance between the scores of members and of non-members, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.errors import DataError
from miagym.metrics.auc import Counts, Interval, Scores, sides
from miagym.metrics.groups.clusters import Codes, group_numbers
from miagym.metrics.groups.shuffles import dealt_labels

RESAMPLES = 300
"""Of the bootstrap, and as many shuffles; every one of them takes all scores."""
MIN_SIDE = 20
"""Members, and non-members, below which the interval is too short: of 10 it covers 90 %."""


@dataclass(frozen=True)
class Distance:
    """The Wasserstein distance of two samples."""

    value: float
    """Mean way that scores travel to turn one distribution into the other, in units of the score.

    Two samples of one distribution are apart too: compare it with `chance`, never with 0.
    """
    ci: Interval | None
    """95 %; None of fewer than `MIN_SIDE` members or non-members."""
    chance: float
    """Of 95 % of the shuffles of the labels the distance is not above this."""

    def as_row(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {"value": self.value, "ci": self.ci and list(self.ci), "chance": self.chance}


def wasserstein(
    member_scores: ArrayLike,
    nonmember_scores: ArrayLike,
    seed: int,
    groups: tuple[ArrayLike, ArrayLike] | None = None,
) -> Distance:
    """First Wasserstein distance: the area between the two distribution functions.

    A bootstrap distance has the noise of two samplings in it, so that percentiles lie too high, and
    percentiles reflected at the value (Hall 1988) too low where it is near chance. The interval
    holds both, and 0 if the value is not above chance: it errs on the wide side. Its coverage is
    measured in docs/benchmarks/validity/intervals.md. Below `MIN_SIDE` of either side there is
    none: a bootstrap of so few rows does not know how they vary, and of 1 row it knows nothing.
    Given groups of members (m,) and of non-members (n,), rows stands for groups in all of this.

    Raises:
        DataError: if either side is empty, or a score is NaN, infinite, or so large that the
            distance of two of them is not a number.
    """
    members, nonmembers = sides(member_scores, nonmember_scores)
    distinct, place = np.unique(np.concatenate([members, nonmembers]), return_inverse=True)
    if distinct[-1] / 2 - distinct[0] / 2 > np.finfo(np.float64).max / 4:
        raise DataError(
            f"Expected scores whose distances are numbers, got {distinct[0]:g} to "
            f"{distinct[-1]:g}; divide all scores by a constant."
        )
    gaps, rng = np.diff(distinct), np.random.default_rng(seed)
    m = len(members)
    if groups is not None:
        return _of_groups(place, (group_numbers(groups[0]), group_numbers(groups[1])), gaps, seed)
    # In ascending order, so that the order of candidates changes nothing.
    of_members, of_nonmembers, of_all = np.sort(place[:m]), np.sort(place[m:]), np.sort(place)

    def counts(places: NDArray[np.intp]) -> Counts:
        return np.bincount(places, minlength=len(distinct))

    def resampled(places: NDArray[np.intp]) -> Counts:
        return counts(places[rng.integers(len(places), size=len(places))])

    value = _area_between(counts(of_members), counts(of_nonmembers), gaps)
    again = [
        _area_between(resampled(of_members), resampled(of_nonmembers), gaps)
        for _ in range(RESAMPLES)
    ]
    everything, shuffled = counts(of_all), []
    for _ in range(RESAMPLES):
        dealt = counts(rng.choice(of_all, m, replace=False, shuffle=False))
        shuffled.append(_area_between(dealt, everything - dealt, gaps))
    return _distance(value, again, shuffled, min(m, len(nonmembers)))


def _of_groups(
    place: NDArray[np.intp], codes: tuple[Codes, Codes], gaps: Scores, seed: int
) -> Distance:
    """The same where whole groups of one side are drawn and dealt."""
    m, rng = len(codes[0]), np.random.default_rng(seed)
    places = place[:m], place[m:]
    sizes = [int(one.max()) + 1 for one in codes]

    def counts(side: int, weights: NDArray[np.integer] | None = None) -> Counts:
        each = None if weights is None else weights[codes[side]]
        return np.bincount(places[side], each, minlength=len(gaps) + 1).astype(np.int64)

    def resampled(side: int) -> Counts:
        groups = sizes[side]
        return counts(side, np.bincount(rng.integers(groups, size=groups), minlength=groups))

    value = _area_between(counts(0), counts(1), gaps)
    again = [_area_between(resampled(0), resampled(1), gaps) for _ in range(RESAMPLES)]
    block, shuffled = np.concatenate([codes[0], codes[1] + sizes[0]]), []
    for label in dealt_labels(block, m, seed, RESAMPLES):
        if label.all():  # one group is nearly everything
            continue
        dealt = [np.bincount(place[side], minlength=len(gaps) + 1) for side in (label, ~label)]
        shuffled.append(_area_between(dealt[0], dealt[1], gaps))
    return _distance(value, again, shuffled, min(sizes))


def _distance(
    value: float, again: Sequence[float], shuffled: Sequence[float], fewest: int
) -> Distance:
    """The distance, with an interval if the smaller side is of enough candidates, or groups."""
    chance = float(np.quantile(shuffled, 0.95))
    if fewest < MIN_SIDE:
        return Distance(value, None, chance)
    low, high = (float(end) for end in np.quantile(again, [0.025, 0.975]))
    lower = max(0.0, min(low, 2 * value - high)) if value > chance else 0.0
    return Distance(value, (min(lower, value), max(high, 2 * value - low, value)), chance)


def _area_between(member_counts: Counts, nonmember_counts: Counts, gaps: Scores) -> float:
    """The distance, from counts (k,) at ascending distinct scores that are `gaps` (k-1,) apart."""
    m, n = int(member_counts.sum()), int(nonmember_counts.sum())
    ahead = np.cumsum(n * member_counts - m * nonmember_counts)
    unit = 2.0 ** (m * n).bit_length()  # keeps the sum finite, and as a power of 2 rounds nothing
    return float(np.abs(ahead[:-1]) / unit @ gaps) / (m * n) * unit
