"""Icons that were trained on against icons of the same things that were not: what is remembered.

On `icons` members and non-members are different things, so that an attack there also finds what the
model learned to draw. Here both sides are the same things, by other hands.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from miagym.data.duplicates import near_pairs, perceptual_hash
from miagym.data.source import Source
from miagym.embedded import art, duplicates
from miagym.embedded.icon_build import MAX_SIMILAR_DISTANCE, SEED, UNSEEN

MEMBER = "base-member"

NOT_DRAWN = 1e6
"""Cost of a style that a thing lacks: far above any sum of the others, which are below 1 each."""


def source(name: str) -> Source:
    """Labelled rows of `icons-unseen`: of each thing one picture trained on, and the one kept back.

    Which picture of a thing was kept is chance, so the two could as well stand the other way round:

    - Things: each on both sides, with one picture, and in one part.
    - Styles: of the other pictures of a thing the one is taken that makes each style as frequent
      among members as among non-members, in either part (see `partners`).
    - Near-copies: a picture kept back, of which another is a near-copy, may have been seen after
      all. Such pictures are left out, on both sides alike (see `has_twin`), and things that are
      then without a pair.
    - Groups and parts are those of `icons`, so that what is tuned there is not tested here.
    """
    rows, member, part = _pairs()
    return art.labelled(name, "icons", rows, member, part)


@cache
def _pairs() -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.str_]]:
    """Rows of the icons' table (n,) in its order, labels (n,) and parts (n,)."""
    table = art.table("icons")
    thing, style, role, part, group = (
        np.array(table[name].to_pylist()) for name in ("thing", "style", "role", "part", "group")
    )
    base, alone = np.flatnonzero(np.isin(role, (MEMBER, UNSEEN))), np.zeros(len(role), dtype=bool)
    alone[base] = ~has_twin(art.pixels(table.take(base)), role[base] == MEMBER, group[base])
    members = np.flatnonzero(alone & (role == MEMBER))
    part_of = dict(zip(group[role == MEMBER], part[role == MEMBER], strict=True))
    kept = np.flatnonzero(alone & (role == UNSEEN) & np.isin(thing, thing[members]))
    parts = np.array([part_of[each] for each in group[kept]])
    chosen = kept.copy()
    for each in np.unique(parts):
        rows = kept[parts == each]
        chosen[parts == each] = partners(rows, members, thing, style)
    rows, label = np.concatenate([chosen, kept]), np.repeat([True, False], len(kept))
    order = np.argsort(rows)
    return rows[order], label[order], np.tile(parts, 2)[order]


def has_twin(
    pixels: NDArray[np.uint8], trained: NDArray[np.bool_], groups: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Whether another picture, which was trained on, is nearly the same as each (n,).

    By colour, mirrored or not, nearer than `MAX_SIMILAR_DISTANCE`, as only pictures of one group
    are; or by the audit's perceptual hash, which sees the same drawing in other colours.

    Args:
        pixels: (n, 64, 64, 3).
        trained: which of them were trained on (n,).
        groups: of look-alikes (n,).
    """
    hashes = np.array([perceptual_hash(each) for each in pixels], dtype=np.uint64)
    one, other = near_pairs(hashes, hashes[trained]).T
    found = np.zeros(len(pixels), dtype=bool)
    found[one[one != np.flatnonzero(trained)[other]]] = True
    ink = duplicates.colour(pixels)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        for chunk, apart in duplicates.distances(ink[rows]):
            own = rows[chunk]
            near = (apart < MAX_SIMILAR_DISTANCE) & trained[rows]
            found[own] |= near.sum(axis=1) > trained[own]
    return found


def partners(
    kept: NDArray[np.intp],
    members: NDArray[np.intp],
    thing: NDArray[np.str_],
    style: NDArray[np.str_],
) -> NDArray[np.intp]:
    """One member of the thing of each kept row (k,), with the styles of the kept rows on the whole.

    The styles of the kept rows are dealt anew among their things, each to one that a member drew
    in that style; of all such deals the one that is cheapest at random costs.

    Args:
        kept: rows of pictures kept from training (k,), one a thing.
        members: rows of pictures trained on.
        thing: of each row of the table.
        style: likewise.
    """
    drawn = {(thing[row], style[row]): row for row in members}
    styles, place = np.unique(style[kept], return_inverse=True)
    cost = np.random.default_rng(SEED).random((len(kept), len(styles)))
    for i, row in enumerate(kept):
        cost[i, [(thing[row], each) not in drawn for each in styles]] = NOT_DRAWN
    dealt = place[linear_sum_assignment(cost[:, place])[1]]
    return np.array([drawn[thing[row], styles[j]] for row, j in zip(kept, dealt, strict=True)])
