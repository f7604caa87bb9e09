"""Repetitions of the paper's protocol, draw by draw: how far luck alone moves its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.metrics.optimism import drawn_of, draws, tprs_of


@dataclass(frozen=True)
class Repetitions:
    """TPR at 1 % FPR over the draws of one pool, of the variant that is best on them: optimistic.

    Args:
        chosen: the variant.
        drawn: members, and non-members, of each draw.
        mean: over the draws, as are the others.
        std: with n - 1.
        low: the smallest.
        high: the largest.
    """

    chosen: str
    drawn: int
    mean: float
    std: float
    low: float
    high: float


def repeated_detection(
    scores: Mapping[str, ArrayLike], member: NDArray[np.bool_], seed: int
) -> Repetitions | None:
    """TPR at 1 % FPR on each draw that `optimism.measure_optimism` makes of the same pool.

    Args:
        scores: of each variant (n,), higher = member.
        member: labels (n,).
        seed: of the draws.

    Returns:
        None if a draw has too few non-members to resolve that rate.
    """
    names = list(scores)
    values = np.stack([np.asarray(scores[name], dtype=np.float64) for name in names])
    if drawn_of(member) < 2:
        return None
    found = [tprs_of(values, *inside) for inside, _ in draws(member, seed)]
    if found[0] is None:
        return None
    tprs = np.array(found, dtype=np.float64)
    best = int(np.argmax(tprs.mean(0)))
    own = tprs[:, best]
    spread = float(own.std(ddof=1))
    return Repetitions(
        names[best], drawn_of(member), float(own.mean()), spread, float(own.min()), float(own.max())
    )
