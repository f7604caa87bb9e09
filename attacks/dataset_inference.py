"""Dataset inference: many pictures of one artist, one answer, with a p-value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test, ttest_ind

from attacks.base import Attack, Scores
from miagym.data.candidates import Candidates
from miagym.errors import DataError
from miagym.oracle import Oracle

MOST_PERMUTED = 1_000_000
"""Scores in memory at a time, among all permutations."""


@dataclass(frozen=True)
class SetAnswer:
    """Whether suspects score higher than non-members do.

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


@dataclass(frozen=True)
class DatasetInference:
    """Was a set of pictures used? The set test of CDI, on the scores of any attack.

    Dubiński et al., CVPR 2025, arXiv 2411.12858. Hypothesis 0: suspects score as non-members do.

    The attack has learned from calibration data, and neither suspects nor controls were among
    them; so under hypothesis 0 all scores are exchangeable, and a permutation test is exact however
    few and however skewed they are. In the reference code, five models score each other's training
    data; such scores are dependent, so that Welch's t-test is wrong for small sets, and its
    p-values are two-sided. What remains is the user's part: controls that differ from suspects in
    anything but membership, in style or source, give small p-values too.

    Args:
        attack: fitted, if it has to be: `CDI` in the paper.
        seed: of the permutations.
    """

    attack: Attack
    seed: int = 0

    def __call__(self, oracle: Oracle, suspects: Candidates, controls: Candidates) -> SetAnswer:
        """The answer for a set of suspects, given fresh non-members like them."""
        return set_test(self.attack(oracle, suspects), self.attack(oracle, controls), self.seed)


def set_test(
    suspect_scores: Scores, control_scores: Scores, seed: int = 0, resamples: int = 9999
) -> SetAnswer:
    """Do suspects (n,) score higher than controls (m,), which are known not to be members?

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
        batch=max(1, MOST_PERMUTED // (len(suspect_scores) + len(control_scores))),
    )
    welch = ttest_ind(*scores, equal_var=False, alternative="greater")
    return SetAnswer(
        suspects=len(suspect_scores),
        controls=len(control_scores),
        mean_difference=float(permuted.statistic),
        p_value=float(permuted.pvalue),
        welch_p_value=float(np.asarray(welch)[1]),
    )


def _mean_difference(a: Scores, b: Scores, axis: int) -> NDArray[np.float64]:
    return a.mean(axis) - b.mean(axis)
