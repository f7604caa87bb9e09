"""At most so many of each side, drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def at_most(
    most: int | None, member: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """So many members and so many non-members, or all where there are fewer.

    Args:
        most: of each side; None for all.
        member: labels (n,).
        rng: decides which, and their order.

    Returns:
        Their places in `member` (k,): members first, each side in random order.
    """
    sides = (np.flatnonzero(member == side) for side in (True, False))
    return np.concatenate([rng.permutation(side)[:most] for side in sides])
