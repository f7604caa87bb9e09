"""Difference of two AUCs on the same pairs of a model and a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from miagym.metrics.auc import auc
from miagym.metrics.comparisons.comparison import Difference, compare
from miagym.metrics.groups.clusters import group_numbers
from miagym.metrics.resampling.crossed import TAIL, aucs_without, standard_error


def crossed_auc_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    member: NDArray[np.bool_],
    models: NDArray[np.integer],
    pictures: NDArray[np.integer],
) -> Difference:
    """AUC of some scores (n,) less that of others, over models (n,) and over pictures (n,).

    Each kind of group is left out in turn, and the variances of both jackknives add, as in
    `crossed_metrics`; Student's t has the degrees of freedom of the kind of which there are fewer.
    Where nothing differs from group to group it is the comparison over pictures.

    Raises:
        DataError: as `auc`.
    """
    value = auc(first[member], first[~member]) - auc(second[member], second[~member])
    errors, fewest = [], math.inf
    for groups in (models, pictures):
        codes = group_numbers(groups)
        one, other = (aucs_without(scores, member, codes) for scores in (first, second))
        errors.append(standard_error(one - other))
        fewest = min(fewest, len(one))
    error = math.hypot(*errors)
    if not error > 0:  # or no number, where a group is all that there is of one side
        return compare(first, second, member, 0, pictures).auc
    margin = float(stdtrit(fewest - 1, 1 - TAIL)) * error
    p = 2 * float(stdtr(fewest - 1, -abs(value) / error))
    return Difference(value, (max(-1.0, value - margin), min(1.0, value + margin)), p)
