"""Confidence intervals of a share and of a mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap

from miagym.metrics.auc import Interval

RESAMPLES = 2000


def share_interval(k: int, n: int, confidence: float = 0.95) -> Interval:
    """Exact interval (Clopper-Pearson) of a share, of which k of n were seen."""
    found = binomtest(k, n).proportion_ci(confidence, method="exact")
    return float(found.low), float(found.high)


def mean_interval(values: NDArray[np.float64]) -> Interval:
    """95 % interval of a mean: bias-corrected bootstrap, seeded, over values (n,) that differ."""
    found = bootstrap((values,), np.mean, n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    low, high = found.confidence_interval
    return float(low), float(high)
