"""What a reader saw besides the rows: where captions stood, what it passed over, what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SIDES = {True: "members", False: "nonmembers"}

Counts = Mapping[str, Mapping[str, int]]
"""By side, as in `SIDES`, and then by reason or by place."""


@dataclass(frozen=True)
class Seen:
    """What a reader saw besides the rows."""

    captions_from: Counts = field(default_factory=dict)
    """Captions that are not empty, by where they stood: NAME.txt, metadata.csv, column text."""
    skipped: Counts = field(default_factory=dict)
    """Pictures and folders that were passed over, by reason."""
    notes: tuple[str, ...] = ()
    """What is odd, in sentences."""


NOTHING = Seen()


def by_side(places: Sequence[str | None], member: NDArray[np.bool_]) -> Counts:
    """Counts places (n), None for none, on each side."""
    counts = {word: Counter[str]() for word in SIDES.values()}
    for place, side in zip(places, member.tolist(), strict=True):
        if place is not None:
            counts[SIDES[side]][place] += 1
    return {word: dict(found.most_common()) for word, found in counts.items()}


def warnings_of(captions: Sequence[str], member: NDArray[np.bool_], seen: Seen) -> tuple[str, ...]:
    """What is odd about sides and captions, and what lies beside them, in sentences."""
    loud = _lone(member) or one_sided(captions, member)
    return seen.notes if loud is None else (loud, *seen.notes)


def _lone(member: NDArray[np.bool_]) -> str | None:
    """A sentence, where all rows are of one side."""
    if not len(member) or (member.any() and not member.all()):
        return None
    ours, others = ("members", "non-members") if member.any() else ("non-members", "members")
    return (
        f"There are {len(member):,} {ours} and no {others}: audits, checks and evaluations compare "
        "the two sides; add some."
    )


def one_sided(captions: Sequence[str], member: NDArray[np.bool_]) -> str | None:
    """A sentence, where one side has captions and the other has none."""
    has = np.array([bool(text.strip()) for text in captions], dtype=bool)
    for side, those, others in (
        (member, "members", "non-members"),
        (~member, "non-members", "members"),
    ):
        if has[side].any() and not has[~side].any():
            return (
                f"{int(has[side].sum()):,} of {int(side.sum()):,} {those} have captions and none "
                f"of {int((~side).sum()):,} {others}: whatever is asked under captions tells the "
                "sides apart by that alone; give both sides theirs, or neither."
            )
    return None
