"""Confidence intervals of a share and of a mean."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.auc import Interval

RESAMPLES = 2000


def share_interval(
    k: int, n: int, confidence: float = 0.95, effective: float | None = None
) -> Interval:
    """Exact interval (Clopper-Pearson) of a share, of which k of n were seen.

    With an effective size below n, as where they came in groups, it is that of the same share of
    so few, rounded down, and of the share away from its middle (after Korn & Graubard 1998).
    """
    from scipy.stats import binomtest  # late, since it takes a second to import

    few = n if effective is None else max(1, math.floor(effective))
    ends = [k * few // n, -(-k * few // n)]  # both k, where few is n
    low, high = (binomtest(end, few).proportion_ci(confidence, method="exact") for end in ends)
    return min(float(low.low), k / n), max(float(high.high), k / n)


def mean_interval(values: NDArray[np.float64]) -> Interval:
    """95 % interval of a mean: bias-corrected bootstrap, seeded, over values (n,) that differ."""
    from scipy.stats import bootstrap

    found = bootstrap((values,), np.mean, n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    low, high = found.confidence_interval
    return float(low), float(high)
