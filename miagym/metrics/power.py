"""What so many candidates could have told from chance."""

from __future__ import annotations

import math
from bisect import bisect_left

from scipy.special import ndtri

from miagym.metrics.comparisons.multiplicity import ALPHA
from miagym.metrics.detection import allowed
from miagym.metrics.distributions import binomial_tail, fewest_nonmembers

POWER = 0.8


def smallest_auc(members: float, nonmembers: float, tried: int) -> float | None:
    """The smallest AUC that is called above chance with a probability of 80 %.

    By the variance of an AUC where nothing is to be found, (m + n + 1) / 12 m n (Hanley & McNeil
    1982), at the level that each of so many tries has to keep.

    Args:
        members: how many, or how many independent ones they are worth.
        nonmembers: the same.
        tried: how many alarms there might have been.

    Returns:
        None if even an AUC of 1 would not be called so.
    """
    spread = math.sqrt((members + nonmembers + 1) / (12 * members * nonmembers))
    auc = 0.5 + spread * float(ndtri(POWER) - ndtri(ALPHA / tried))
    return auc if auc < 1 else None


def smallest_tpr(members: float, nonmembers: float, alpha: float, tried: int) -> float | None:
    """The smallest TPR, at a threshold with this FPR, that is called above chance as often.

    The test is that of `tpr_is_significant`. Its answer also asks for an interval above the FPR,
    whose lower end is 0 where so few non-members may well miss the threshold.

    Args:
        members: how many, or how many independent ones they are worth.
        nonmembers: the same.
        alpha: the FPR, in (0, 1).
        tried: how many alarms there might have been.

    Returns:
        None if even a TPR of 1 would not be called so.
    """
    m, n = int(members), int(nonmembers)
    if m == 0 or (1 - alpha) ** n > ALPHA:
        return None
    f = allowed(alpha, n)

    def is_surprising(found: int) -> bool:
        return fewest_nonmembers(f, m, n, found + f) * tried <= ALPHA

    fewest = bisect_left(range(m + 1), True, key=is_surprising)
    if fewest > m:
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (
            (low, middle) if binomial_tail(fewest - 1, m, middle) >= POWER else (middle, high)
        )
    return high
