"""Tails and ranks, to the bit those of scipy.stats, which takes a second to import."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc


def binomial_tail(k: int, n: int, p: ArrayLike) -> NDArray[np.float64]:
    """Probability of more than k successes in n trials, for each rate in p."""
    rates = np.asarray(p, dtype=np.float64)
    if 0 <= k < n:
        return np.asarray(betainc(k + 1, n - k, rates))
    return np.full_like(rates, float(k < 0))


def fewest_nonmembers(f: int, m: int, n: int, highest: int) -> float:
    """Probability that at most f of the `highest` of m members and n non-members are non-members.

    A hypergeometric count where nothing tells them apart; in whole numbers, so that it is exact.
    """
    least = max(0, highest - m)
    ways = math.comb(n, least) * math.comb(m, highest - least)
    total = 0
    for i in range(least, min(f, n, highest) + 1):
        total += ways
        ways = ways * (n - i) * (highest - i) // ((i + 1) * (m - highest + i + 1))
    return total / math.comb(m + n, highest)


def average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1 of finite values (n,); those that are tied share their mean."""
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
