"""Significance of an AUC or a TPR as one of many that were tried."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from miagym.metrics.distributions import fewest_nonmembers

ALPHA = 0.025
"""One-sided, as the lower end of a 95 % interval is; shared by all that were tried (Bonferroni)."""
ROUNDING = 1e-6
"""Of a share times a number, which may be whole."""


def auc_is_significant(auc: float, low: float, tried: int) -> bool:
    """Whether an AUC is above one half as one of `tried`.

    The interval's lower half is stretched to the level that each of so many has to keep. Near one
    half, where it matters, the interval is as good as normal.

    Args:
        auc: the highest of so many.
        low: the lower end of its 95 % interval.
        tried: rows and measures, of which this may be the luckiest.
    """
    margin = auc - low
    if margin <= 0:
        return auc > 0.5
    z = -float(ndtri(ALPHA)) * (auc - 0.5) / margin
    return float(ndtr(-z)) * tried <= ALPHA


def tpr_is_significant(
    tpr: float, fpr: float, n_members: float, n_nonmembers: float, tried: int
) -> bool:
    """Whether so many members above so few non-members are a surprise as one of `tried`.

    Exact, if members and non-members are exchangeable and no scores are tied: of the k = a + f
    highest scores at most f are of non-members with the probability of a hypergeometric count.

    Args:
        tpr: share of members above one threshold.
        fpr: share of non-members above it; what was reached.
        n_members: how many there are, or how many independent ones they are worth.
        n_nonmembers: the same.
        tried: rows and measures, of which this may be the luckiest.
    """
    m, n = math.floor(n_members), math.floor(n_nonmembers)
    a, f = math.floor(tpr * m + ROUNDING), math.ceil(fpr * n - ROUNDING)
    return fewest_nonmembers(f, m, n, a + f) * tried <= ALPHA
