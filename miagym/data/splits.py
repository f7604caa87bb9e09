"""Dealing groups into parts (member or not, calibration or test), and drawing some of each side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.groups.clusters import group_numbers, mean_group


def deal(
    groups: NDArray[np.integer], strata: Sequence[str], shares: Mapping[str, float], seed: int
) -> NDArray[np.str_]:
    """Splits whole groups into parts so that each stratum is spread by the parts' shares.

    Strata (artists, say) are what would otherwise tell the parts apart; a group is never cut. Each
    stratum's groups come in random order, and the next one goes to the part that has had least of
    its share, first of this stratum, then of everything.

    Args:
        groups: group number of each item (n,).
        strata: stratum of each item (n,); a group belongs to the stratum of its first item.
        shares: relative size of each part by name, for example `{"member": 1, "non-member": 1}`.
        seed: decides the order, and so the result.

    Returns:
        The part of each item (n,).
    """
    rng = np.random.default_rng(seed)
    names, share = list(shares), [float(one) for one in shares.values()]
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    size = sizes.astype(float).tolist()
    by_stratum: dict[str, list[int]] = {}
    for g in rng.permutation(len(first)):
        by_stratum.setdefault(strata[int(first[g])], []).append(int(g))

    part_of_group = np.empty(len(first), dtype=int)
    ties = iter(rng.random((len(first), len(share))).tolist())
    parts, total = range(len(share)), [0.0] * len(share)
    for stratum in sorted(by_stratum):
        dealt = [0.0] * len(share)
        for g in by_stratum[stratum]:
            tie = next(ties)
            # Numbers of Python: for so few parts numpy takes longer.
            filled = [(dealt[i] / share[i], total[i] / share[i], tie[i], i) for i in parts]
            part = min(filled)[-1]
            part_of_group[g] = part
            dealt[part] += size[g]
            total[part] += size[g]
    inverse = np.unique(groups, return_inverse=True)[1]
    return np.array(names)[part_of_group[inverse]]


def deal_well(
    groups: NDArray[np.integer],
    strata: Sequence[str],
    shares: Mapping[str, float],
    seed: int,
    deals: int = 200,
) -> NDArray[np.str_]:
    """Of so many deals the one whose smallest part is worth most, as `effective` has it.

    A single deal may put the one large group of look-alikes into a small part, which is then worth
    a dozen candidates. Choosing among deals by what is known of groups alone, before anything is
    scored, keeps the split fair (rerandomisation: Morgan & Rubin 2012, Annals of Statistics 40).
    Strata come in another order each time, since where the first ones go is no matter of chance.
    """
    rng, names = np.random.default_rng(seed), np.unique(strata)

    def smallest(part: NDArray[np.str_]) -> float:
        return min(effective(groups[part == name]) for name in shares)

    def once() -> NDArray[np.str_]:
        order = dict(zip(rng.permutation(names), range(len(names)), strict=True))
        shuffled = [f"{order[stratum]:09d}" for stratum in strata]
        return deal(groups, shuffled, shares, int(rng.integers(2**32)))

    return max((once() for _ in range(deals)), key=smallest)


def effective(groups: NDArray[np.integer]) -> float:
    """How many independent candidates are worth these (n,), if a group's are all alike (Kish)."""
    return len(groups) / mean_group(group_numbers(groups)) if len(groups) else 0.0


def subsample(
    most: int | None, member: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Random rows of each side: so many members and so many non-members, or all.

    Args:
        most: of each side; None for all.
        member: labels (n,).
        rng: decides which, and their order.

    Returns:
        Their places in `member` (k,): members first, each side in random order.
    """
    sides = (np.flatnonzero(member == side) for side in (True, False))
    return np.concatenate([rng.permutation(side)[:most] for side in sides])
