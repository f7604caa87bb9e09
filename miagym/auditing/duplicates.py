"""Near-duplicate rows on one side or across: a copy across is a member in disguise."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from miagym.results import AuditDuplicates

MAX_EXAMPLES = 5
MAX_COPY_SHARE = 0.02
"""Share of all rows that may be alike and still count as copies; more of them are a kind ("icon"
as a caption), whose share of each side is a cue like any other."""

MIN_COPIES = 10
"""Rows that may always be alike."""


def count_duplicates(
    of: str,
    groups: NDArray[np.integer],
    member: NDArray[np.bool_],
    rows: NDArray[np.integer],
    names: Sequence[str | None] | None = None,
) -> AuditDuplicates:
    """Counts near-duplicates, rows of one group, on each side and across.

    Args:
        of: what is alike.
        groups: of near-duplicates (n,).
        member: labels (n,).
        rows: what the n rows are called in examples.
        names: their files (n), where the data name them.
    """
    groups = np.unique(groups, return_inverse=True)[1]
    ours, theirs = (
        np.bincount(groups[side], minlength=groups.max() + 1) for side in (member, ~member)
    )
    first = np.full(len(ours), -1)
    first[groups[member][::-1]] = np.flatnonzero(member)[::-1]
    twins = np.flatnonzero(~member & (ours[groups] > 0))
    pairs = [(int(first[groups[twin]]), int(twin)) for twin in twins[:MAX_EXAMPLES]]
    files = [(names[one] or "", names[other] or "") for one, other in pairs] if names else []
    return AuditDuplicates(
        of=of,
        within_members=int(ours[ours > 1].sum()),
        within_nonmembers=int(theirs[theirs > 1].sum()),
        across=len(twins),
        examples=tuple((int(rows[one]), int(rows[other])) for one, other in pairs),
        files=tuple(files) if all(map(all, files)) else (),
    )


def caption_groups(captions: Sequence[str]) -> NDArray[np.integer]:
    """Groups (n,) captions of the same words, whatever their case, order and punctuation.

    Captions without a word (an emoji, "!!!") are alike if they are the same but for spaces around
    them; an empty one is like no other.
    """
    keys = [_key(text) or f"  {row}" for row, text in enumerate(captions)]
    return np.unique(np.array(keys, dtype=object), return_inverse=True)[1]


def _key(text: str) -> str:
    """What captions that are alike share; no words start with the space that marks other signs."""
    words = " ".join(sorted(set(re.findall(r"\w+", text.lower()))))
    signs = text.strip()
    return words or (f" {signs}" if signs else "")


def linked(
    alike: Sequence[NDArray[np.integer]], given: NDArray[np.integer] | None, n: int
) -> NDArray[np.int32]:
    """Groups rows that are linked, if over others, by any grouping.

    Args:
        alike: groups of near-duplicates (n,), without those that are a kind (see `MAX_COPY_SHARE`).
        given: groups that the split is said to have been dealt by (n,), however large, or None.
        n: number of rows.

    Returns:
        Group number of each row (n,).
    """
    rows = np.arange(n)
    ends: list[tuple[NDArray[np.integer], NDArray[np.integer]]] = [(rows, rows)]
    most = [max(MIN_COPIES, MAX_COPY_SHARE * n)] * len(alike) + [n]
    for number, (grouping, at_most) in enumerate(zip([*alike, given], most, strict=True), start=1):
        if grouping is None:
            continue
        of_row = np.unique(grouping, return_inverse=True)[1]
        copies = np.bincount(of_row)[of_row] <= at_most
        ends.append((rows[copies], number * n + of_row[copies]))
    first, second = (np.concatenate(side) for side in zip(*ends, strict=True))
    nodes = (len(most) + 1) * n
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1][:n]
