"""Whether a number would surprise if nothing were there to be found, and so many had been tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.stats import hypergeom, norm

ALPHA = 0.025
"""One-sided, as the lower end of a 95 % interval is; shared by all that were tried (Bonferroni)."""


def auc_is_significant(row: Mapping[str, Any], tried: int) -> bool:
    """Whether the AUC is above one half as one of `tried`.

    The interval's lower half is stretched to the level that each of so many has to keep. Near one
    half, where it matters, the interval is as good as normal.
    """
    margin = row["auc"] - row["auc_ci"][0]
    if margin <= 0:
        return row["auc"] > 0.5
    z = float(norm.isf(ALPHA)) * (row["auc"] - 0.5) / margin
    return float(norm.sf(z)) * tried <= ALPHA


def tpr_is_significant(row: Mapping[str, Any], found: Mapping[str, Any], tried: int) -> bool:
    """Whether so many members above so few non-members are a surprise as one of `tried`.

    Exact, if members and non-members are exchangeable and no scores are tied: of the k = a + f
    highest scores at most f are of non-members with the probability of a hypergeometric count.

    Args:
        row: with `n_members` and `n_nonmembers`.
        found: `tpr` and the `fpr` reached, at one threshold.
        tried: attacks, of which this may be the luckiest.
    """
    m, n = row["n_members"], row["n_nonmembers"]
    a, f = round(found["tpr"] * m), round(found["fpr"] * n)
    return float(hypergeom.cdf(f, m + n, n, a + f)) * tried <= ALPHA
