"""Set test: do suspects score higher than known non-members, and how many pictures it needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from miagym.errors import DataError

MAX_PERMUTATIONS = 9999
"""That a set test draws at most; where there are fewer, it makes them all."""
MAX_PERMUTED_SCORES = 1_000_000
"""Scores in memory at a time, among all permutations."""
MAX_PICTURES = 1000
"""Largest number of pictures that is looked for."""
UNLUCKY = 0.05
"""Share of calibrations under which there may be more false alarms than promised."""
SETS, RESAMPLES = 200, 100
"""Of members drawn for a size, and of the calibration pictures for an interval."""


@dataclass(frozen=True)
class SetTest:
    """Result of a set test of suspects against known non-members.

    Args:
        suspects: how many there were.
        controls: how many they were compared with.
        mean_difference: of their scores; above 0 where suspects look like members.
        p_value: one-sided, of a permutation test: how often chance alone makes the difference as
            large. The smallest possible is 1 / (resamples + 1), or 1 / the number of permutations.
        welch_p_value: one-sided, of Welch's t-test, which the paper uses.
    """

    suspects: int
    controls: int
    mean_difference: float
    p_value: float
    welch_p_value: float


def set_test(
    suspect_scores: NDArray[np.float64],
    control_scores: NDArray[np.float64],
    seed: int = 0,
    resamples: int = MAX_PERMUTATIONS,
    margin: float = 0.0,
) -> SetTest:
    """Tests whether suspects (n,) score higher than controls (m,), which are known non-members.

    Nothing may have been fitted to either. Both p-values are right for controls that are drawn for
    this one question: over many such draws, at most a share of alpha are false alarms. Controls
    that many questions share keep that promise only with a `margin`: see `shared_margin`.

    Args:
        suspect_scores: (n,), higher = member.
        control_scores: (m,).
        seed: of the permutations.
        resamples: most of them.
        margin: by how much controls are taken to score higher than they do.

    Raises:
        DataError: if there are fewer than 2 of either.
    """
    from scipy.stats import permutation_test, ttest_ind

    if min(len(suspect_scores), len(control_scores)) < 2:
        raise DataError(
            f"A set test compares at least 2 suspects with 2 controls, got {len(suspect_scores)} "
            f"and {len(control_scores)}."
        )
    scores = (suspect_scores, control_scores + margin)
    permuted = permutation_test(
        scores,
        _mean_difference,
        alternative="greater",
        n_resamples=resamples,
        rng=np.random.default_rng(seed),
        batch=max(1, MAX_PERMUTED_SCORES // (len(suspect_scores) + len(control_scores))),
    )
    welch = ttest_ind(*scores, equal_var=False, alternative="greater")
    return SetTest(
        suspects=len(suspect_scores),
        controls=len(control_scores),
        mean_difference=float(permuted.statistic) + margin,
        p_value=float(permuted.pvalue),
        welch_p_value=float(np.asarray(welch)[1]),
    )


def shared_margin(control_scores: NDArray[np.float64]) -> float:
    """By how much the mean of controls (m,) may be too low: 1.645 standard errors.

    Whoever shares a calibration shares its luck: with 100 controls whose mean is a standard error
    too low, sets of 100 fresh non-members give 5 % alarms in place of 1 %. With this margin, the
    rate of false alarms is at most alpha under 95 % of calibrations, whatever the size of a set.
    """
    m = len(control_scores)
    return float(-ndtri(UNLUCKY) * control_scores.std(ddof=1) / math.sqrt(m)) if m > 1 else 0.0


def smallest_set_p(pictures: int, controls: int) -> float:
    """Smallest p-value that the permutation test can give so many pictures."""
    permutations = math.comb(pictures + controls, pictures)
    return 1 / permutations if permutations <= MAX_PERMUTATIONS else 1 / (MAX_PERMUTATIONS + 1)


def _mean_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], axis: int
) -> NDArray[np.float64]:
    return a.mean(axis) - b.mean(axis)


@dataclass(frozen=True)
class PicturesNeeded:
    """Number of pictures that a set test needs; None stands for more than `MAX_PICTURES`.

    Args:
        pictures: so many members are found with the power that was asked for.
        ci: its 95 % interval (bootstrap of the calibration pictures).
    """

    pictures: int | None
    ci: tuple[int | None, int | None]


def pictures_needed(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    alpha: float,
    seed: int,
    power: float = 0.95,
) -> PicturesNeeded:
    """Simulates how many pictures a set test needs if all are members, from ranking scores.

    Sets of members are drawn, with replacement, and compared with all non-members, who are shared
    (see `shared_margin`), by the permutation test's own mean and variance and a normal tail (exact
    for large sets). A size whose
    smallest p-value is above alpha is too few, however far apart the scores are.
    """
    rng = np.random.default_rng(seed)
    point = _smallest_size(members, nonmembers, alpha, power, rng)
    resampled = [
        _smallest_size(rng.choice(members, len(members)), rng.choice(nonmembers, len(nonmembers)),
                       alpha, power, rng)
        for _ in range(RESAMPLES)
    ]  # fmt: skip
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    return PicturesNeeded(_within(point), (_within(min(low, point)), _within(max(high, point))))


def _within(size: float) -> int | None:
    return None if size > MAX_PICTURES else int(size)


def _smallest_size(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    alpha: float,
    power: float,
    rng: np.random.Generator,
) -> float:
    """By bisection between 2 and `MAX_PICTURES`; infinite if those are too few."""

    def enough(size: int) -> bool:
        if smallest_set_p(size, len(nonmembers)) > alpha:
            return False
        return _share_found(members, nonmembers, size, alpha, rng) >= power

    if not enough(MAX_PICTURES):
        return math.inf
    low, high = 1, MAX_PICTURES
    while high - low > 1:
        middle = round(math.sqrt(low * high)) if high > 2 * low else (low + high) // 2
        middle = min(max(middle, low + 1), high - 1)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def _share_found(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    size: int,
    alpha: float,
    rng: np.random.Generator,
) -> float:
    sets, nonmembers = rng.choice(members, (SETS, size)), nonmembers + shared_margin(nonmembers)
    both = size + len(nonmembers)
    mean = (sets.sum(1) + nonmembers.sum()) / both
    square = ((sets**2).sum(1) + (nonmembers**2).sum()) / both
    spread = np.sqrt((square - mean**2) / size * (both - size) / (both - 1))
    return float(np.mean(sets.mean(1) - mean >= -ndtri(alpha) * spread))
