"""Anytime-valid evidence about a set: an e-value that may be looked at after every picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, logsumexp

from miagym.metrics.auc import sides

TILTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Powers of p that are bet on alike: from "members stand above all" to "a little higher"."""


@dataclass(frozen=True)
class EValue:
    """Evidence that a set holds members.

    Args:
        log10: of the e-value, which can be larger than a float.
    """

    log10: float

    @property
    def p_value(self) -> float:
        """min(1, 1 / e): valid however often, and for however long, somebody looks."""
        return float(min(1.0, 10.0**-self.log10))


def e_value(scores: ArrayLike, controls: ArrayLike, seed: int = 0) -> EValue:
    """E-value of a set (n,) beside non-members (m,), valid at any number of pictures.

    The non-members cut the scale into m + 1 gaps. If the set is exchangeable with them, the gaps
    into which its pictures fall, one after the other, are a Pólya urn that starts with one ball a
    gap, whatever the scores are. Bet against it is an urn whose balls, m + 1 in all, lie in higher
    gaps: density kappa p^(kappa - 1) of the conformal p-value p, a mean over kappa. The ratio of
    the two is a test martingale (Vovk, Gammerman & Shafer 2005, ch. 7; Ramdas et al. 2023), so
    P(it ever reaches 1 / alpha) <= alpha (Ville): somebody who adds pictures until satisfied is not
    fooled. It depends on how many fell into which gap, not on their order. The non-members have
    to stay the same.

    Args:
        scores: (n,), higher = member.
        controls: (m,).
        seed: of the order of ties.

    Raises:
        DataError: if either is empty or holds NaN or infinity.
    """
    suspects, known = sides(scores, controls)
    m = len(known)
    counts = np.bincount(_gaps(suspects, known, seed), minlength=m + 1)
    edges = np.arange(m + 2) / (m + 1)
    bets = [
        _urn(counts, (m + 1) * np.diff(edges**tilt)) - _urn(counts, np.ones(m + 1))
        for tilt in TILTS
    ]
    return EValue(float((logsumexp(bets) - np.log(len(bets))) / np.log(10)))


def _gaps(suspects: NDArray[np.float64], known: NDArray[np.float64], seed: int) -> NDArray[np.intp]:
    """How many non-members stand above each suspect (n,); ties in random order."""
    rng = np.random.default_rng(seed)
    ascending = np.sort(known)
    above = len(known) - np.searchsorted(ascending, suspects, side="right")
    tied = np.searchsorted(ascending, suspects, "right") - np.searchsorted(
        ascending, suspects, "left"
    )
    return above + rng.integers(0, tied + 1)


def _urn(counts: NDArray[np.intp], balls: NDArray[np.float64]) -> float:
    """Log probability of a sequence with these counts under a Pólya urn of such balls."""
    total, n = balls.sum(), counts.sum()
    drawn = gammaln(balls + counts) - gammaln(balls)
    return float(drawn.sum() + gammaln(total) - gammaln(total + n))
