"""Pictures that stand on both sides: the same file, or the same picture in another encoding."""

from __future__ import annotations

import numpy as np

from miagym.checking.unused.sides import Side, SidePicture
from miagym.data.duplicates import near_pairs
from miagym.errors import DataError

MIN_CORRELATION = 0.9
"""Of two small copies, from which close hashes are taken for one picture. Hashes alone take one
pair in 40,000 of different drawings for the same."""
SHOWN = 3


def check_apart(given: Side, unused: Side) -> None:
    """Refuses a picture that is in question on one side, and known not to be used on the other.

    Raises:
        DataError: with the pairs, in one sentence.
    """
    ours, theirs = (
        np.array([picture.hash for picture in side.pictures], dtype=np.uint64)
        for side in (given, unused)
    )
    pairs = [
        (given.pictures[a], unused.pictures[b])
        for a, b in near_pairs(ours, theirs).tolist()
        if _are_one(given.pictures[a], unused.pictures[b])
    ]
    if not pairs:
        return
    shown = "; ".join(f"{a.name} and {b.name} ({_how(a, b)})" for a, b in pairs[:SHOWN])
    more = f"; and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    raise DataError(
        f"Pictures in question and unused pictures overlap: {shown}{more}; take each from the side "
        "where it does not belong, since what may have been used is no control."
    )


def _are_one(a: SidePicture, b: SidePicture) -> bool:
    if a.key == b.key or a.sha256 == b.sha256:
        return True
    ours, theirs = a.thumb - a.thumb.mean(), b.thumb - b.thumb.mean()
    sizes = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    return sizes == 0 or float(ours @ theirs) / sizes >= MIN_CORRELATION


def _how(a: SidePicture, b: SidePicture) -> str:
    if a.sha256 == b.sha256:
        return "the same file"
    return "the same picture" if a.key == b.key else "nearly the same picture"
