"""Share of a set that was used: how many of its pictures are members, with an interval.

Both rest on one rule, fixed before any picture of the set is scored: "above the k-th largest
non-member", k = floor(0.1 (m + 1)). Of members it finds the TPR, of non-members the FPR, so that
rate = FPR + p (TPR - FPR), where p is the share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from miagym.metrics.auc import Interval, sides
from miagym.metrics.distributions import binomial_tail

LEVEL = 0.1
"""False positive rate of the rule, about: low enough to tell the kinds apart, high enough to be
known from some ten non-members."""
CONFIDENCE = 0.95
DRAWS = 2000
"""Of the two rates, and of what the rule finds under them, for each share that is tried."""
SHARES = 201
"""Most shares that are tried."""
QUADRATURE = 2000


@dataclass(frozen=True)
class Share:
    """How much of a set was used.

    Args:
        pictures: of the set, n.
        above: how many of them the rule finds.
        fpr: of the rule on average over draws of the non-members, k / (m + 1).
        tpr: of the rule on known members, [0, 1]; None where none are known.
        value: (rate - FPR) / (TPR - FPR), kept in [0, 1]; with a TPR of 1, the most that it can be,
            where none is known. None where the rule finds no more members than others.
        ci: of the share of this very set: 95 %; one-sided, up to 1, where no TPR is known.
    """

    pictures: int
    above: int
    fpr: float
    tpr: float | None
    value: float | None
    ci: Interval

    @property
    def is_bound(self) -> bool:
        """Whether only the lower end says anything, since no TPR is known."""
        return self.tpr is None

    @property
    def at_least(self) -> int:
        """Least number of pictures of the set within the interval."""
        return math.ceil(self.ci[0] * self.pictures - 1e-9)


def share_at_least(scores: ArrayLike, controls: ArrayLike) -> Share:
    """Lower bound of the share of a set (n,) from non-members (m,) alone: exact, one-sided, 95 %.

    Were K of the n members, and all found (a TPR of 1, the most), the rule would find K + Bin(n -
    K, F), where F, its FPR under these non-members, is Beta(k, m + 1 - k) over their draws. The
    bound is the least K under which finding so many is no rarer than 5 %. A TPR below 1 only makes
    it too low, and so do ties. p >= (rate - FPR) / (1 - FPR) is the same in expectation.

    Raises:
        DataError: if either is empty or holds NaN or infinity.
    """
    suspects, known = sides(scores, controls)
    n, m, k = len(suspects), len(known), _rank(len(known))
    above = _above(suspects, known)
    fpr = k / (m + 1)
    rates = betaincinv(k, m + 1 - k, (np.arange(QUADRATURE) + 0.5) / QUADRATURE)

    def as_many(members: int) -> float:
        """That so many are found if so many are members."""
        return float(binomial_tail(above - members - 1, n - members, rates).mean())

    least, most = 0, n
    while least < most:  # as_many rises with the number of members
        middle = (least + most) // 2
        least, most = (least, middle) if as_many(middle) > 1 - CONFIDENCE else (middle + 1, most)
    value = min(max((above / n - fpr) / (1 - fpr), 0.0), 1.0)
    return Share(n, above, fpr, None, max(value, least / n), (least / n, 1.0))


def share_of_set(
    scores: ArrayLike,
    members: ArrayLike,
    nonmembers: ArrayLike,
    seed: int = 0,
    worth: tuple[float, float] | None = None,
) -> Share:
    """Share of a set (n,) from known members (M,) and non-members (m,), with its 95 % interval.

    For each number K of members in the set, the rule would find Bin(K, T) + Bin(n - K, F). F is
    Beta(k, m + 1 - k) over draws of the non-members, and T is drawn from its confidence
    distribution, Beta(t + 1/2, M - t + 1/2) if t of M are found. The interval holds every K under
    which neither end is rarer than 2.5 %, with half of the probability of the number itself
    (mid-p). It is about this very set, of which K pictures were used, and not about a population
    that it was drawn from. Coverage in docs/benchmarks/validity/sets.md.

    Args:
        scores: (n,), higher = member.
        members: (M,).
        nonmembers: (m,).
        seed: of the draws.
        worth: how many independent members, and non-members, these are; None for all.

    Raises:
        DataError: if any is empty or holds NaN or infinity.
    """
    known_members, known = sides(members, nonmembers)
    suspects, _ = sides(scores, known)
    n, m, k = len(suspects), len(known), _rank(len(known))
    above, found = _above(suspects, known), _above(known_members, known)
    tpr, fpr = found / len(known_members), k / (m + 1)
    ours, theirs = worth or (float(len(known_members)), float(m))
    fewer = (theirs + 1) / (m + 1)
    rng = np.random.default_rng(seed)
    f = rng.beta(k * fewer, (m + 1 - k) * fewer, DRAWS)
    t = rng.beta(tpr * ours + 0.5, (1 - tpr) * ours + 0.5, DRAWS)
    tried = np.unique(np.linspace(0, n, min(n + 1, SHARES)).round().astype(np.int64))
    possible = np.array([_is_possible(rng, int(each), n, t, f, above) for each in tried])
    value = None if tpr <= fpr else min(max((above / n - fpr) / (tpr - fpr), 0.0), 1.0)
    within = tried[possible] / n if possible.any() else np.array([0.0, 1.0])
    low, high = float(within.min()), float(within.max())
    if value is not None:
        low, high = min(low, value), max(high, value)
    return Share(n, above, fpr, tpr, value, (low, high))


def _is_possible(
    rng: np.random.Generator,
    members: int,
    n: int,
    t: NDArray[np.float64],
    f: NDArray[np.float64],
    above: int,
) -> bool:
    """Whether finding so many is no surprise, on either end, if so many are members."""
    found = rng.binomial(members, t) + rng.binomial(n - members, f)
    same = float(np.mean(found == above)) / 2
    tail = (1 - CONFIDENCE) / 2
    more, fewer = float(np.mean(found > above)) + same, float(np.mean(found < above)) + same
    return min(more, fewer) > tail


def _rank(controls: int) -> int:
    """Rank k of the threshold among so many non-members, largest first."""
    return max(1, math.floor(LEVEL * (controls + 1) + 1e-9))


def _above(scores: NDArray[np.float64], controls: NDArray[np.float64]) -> int:
    threshold = np.sort(controls)[::-1][_rank(len(controls)) - 1]
    return int((scores > threshold).sum())
