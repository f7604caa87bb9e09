"""Set test: a permutation test of whether suspects score higher than known non-members."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test, ttest_ind

from miagym.errors import DataError

MAX_PERMUTATIONS = 9999
"""That a set test draws at most; where there are fewer, it makes them all."""
MAX_PERMUTED_SCORES = 1_000_000
"""Scores in memory at a time, among all permutations."""


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
) -> SetTest:
    """Tests whether suspects (n,) score higher than controls (m,), which are known non-members.

    Nothing may have been fitted to either.

    Raises:
        DataError: if there are fewer than 2 of either.
    """
    if min(len(suspect_scores), len(control_scores)) < 2:
        raise DataError(
            f"A set test compares at least 2 suspects with 2 controls, got {len(suspect_scores)} "
            f"and {len(control_scores)}."
        )
    scores = (suspect_scores, control_scores)
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
        mean_difference=float(permuted.statistic),
        p_value=float(permuted.pvalue),
        welch_p_value=float(np.asarray(welch)[1]),
    )


def smallest_set_p(pictures: int, controls: int) -> float:
    """Smallest p-value that the permutation test can give so many pictures."""
    permutations = math.comb(pictures + controls, pictures)
    return 1 / permutations if permutations <= MAX_PERMUTATIONS else 1 / (MAX_PERMUTATIONS + 1)


def _mean_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], axis: int
) -> NDArray[np.float64]:
    return a.mean(axis) - b.mean(axis)
