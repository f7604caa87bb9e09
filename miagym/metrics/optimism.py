"""Optimism of the paper's protocol, which picks on its own test data, beside held-out choices.

Dubiński et al. (WACV 2024) draw 1,000 members and 1,000 non-members a hundred times from up to
5,000 of each, and quote the best timestep, chosen on the very same data. What that flatters is
measured here beside choices made on other candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.metrics.detection import allowed

Scores = NDArray[np.float64]
Sides = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows of members, and of non-members."""

DRAWS = 100
MAX_DRAWN = 1000
ALPHA = 0.01


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over the draws."""

    mean: float
    std: float


@dataclass(frozen=True)
class ProtocolResult:
    """Variant and metrics that one protocol reports."""

    chosen: str
    """The variant; of held-out choices the one that was chosen most often."""
    auc: Spread
    tpr: Spread | None
    """At 1 % FPR; None where a draw has too few non-members to resolve it."""


@dataclass(frozen=True)
class Optimism:
    """The paper's protocol beside held-out choices, on equally large draws of one pool.

    Args:
        n_members: in the pool.
        n_nonmembers: in the pool.
        draws: repetitions.
        drawn: members, and non-members, of each draw.
        variants: how many there were to choose from.
        paper: best variant by mean TPR at 1 % FPR (by AUC where that is not resolvable) on the
            draws themselves: optimistic.
        held_out: variant chosen by AUC on what was not drawn, anew for each draw.
    """

    n_members: int
    n_nonmembers: int
    draws: int
    drawn: int
    variants: int
    paper: ProtocolResult
    held_out: ProtocolResult

    def as_row(self) -> dict[str, Any]:
        """Row of results.json."""
        return asdict(self)


def measure_optimism(
    scores: Mapping[str, ArrayLike], member: NDArray[np.bool_], seed: int
) -> Optimism | None:
    """Measures both protocols on the same pool of candidates.

    A draw takes half of the pool, and at most 1,000 of each side; held-out choices are made on the
    rest of the pool. So both protocols report on the same draws.

    Args:
        scores: of each variant (n,), higher = member.
        member: labels (n,).
        seed: of the draws.

    Returns:
        None if either side has fewer than 4.
    """
    names = list(scores)
    values = np.stack([np.asarray(scores[name], dtype=np.float64) for name in names])
    sides = np.flatnonzero(member), np.flatnonzero(~member)
    drawn = drawn_of(member)
    if drawn < 2:
        return None
    aucs, tprs, choices = [], [], []
    for inside, outside in draws(member, seed):
        aucs.append(_aucs(values, *inside))
        tprs.append(tprs_of(values, *inside))
        choices.append(int(np.argmax(_aucs(values, *outside))))
    by_auc, by_tpr = np.array(aucs), None if tprs[0] is None else np.array(tprs, dtype=float)
    best = int(np.argmax((by_auc if by_tpr is None else by_tpr).mean(0)))
    return Optimism(
        n_members=len(sides[0]),
        n_nonmembers=len(sides[1]),
        draws=DRAWS,
        drawn=drawn,
        variants=len(names),
        paper=_outcome(names[best], by_auc, by_tpr, np.full(DRAWS, best)),
        held_out=_outcome(names[np.bincount(choices).argmax()], by_auc, by_tpr, np.array(choices)),
    )


def drawn_of(member: NDArray[np.bool_]) -> int:
    """How many members, and how many non-members, a draw takes of such a pool."""
    return min(MAX_DRAWN, int(member.sum()) // 2, int((~member).sum()) // 2)


def draws(member: NDArray[np.bool_], seed: int) -> Iterator[tuple[Sides, Sides]]:
    """What is drawn of a pool, a hundred times, and what is left of it: rows of both sides."""
    sides, drawn = (np.flatnonzero(member), np.flatnonzero(~member)), drawn_of(member)
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        members, nonmembers = (rng.permutation(side) for side in sides)
        yield (members[:drawn], nonmembers[:drawn]), (members[drawn:], nonmembers[drawn:])


def _aucs(values: Scores, members: NDArray[np.intp], nonmembers: NDArray[np.intp]) -> Scores:
    """AUC of each variant (v,), from the ranks of its scores (v, n)."""
    from scipy.stats import rankdata

    m, n = len(members), len(nonmembers)
    ranks = rankdata(values[:, np.concatenate([members, nonmembers])], axis=1)
    return (ranks[:, :m].sum(axis=1) - m * (m + 1) / 2) / (m * n)


def tprs_of(
    values: Scores, members: NDArray[np.intp], nonmembers: NDArray[np.intp]
) -> Scores | None:
    """TPR of each variant (v,) as `detection.tpr_at_fpr` has it."""
    passing = allowed(ALPHA, len(nonmembers))
    if passing == 0:
        return None
    threshold = np.sort(values[:, nonmembers], axis=1)[:, -1 - passing]
    return (values[:, members] > threshold[:, None]).mean(axis=1)


def _outcome(
    chosen: str,
    aucs: NDArray[np.float64],
    tprs: NDArray[np.float64] | None,
    choices: NDArray[np.intp],
) -> ProtocolResult:
    rows = np.arange(len(choices))
    return ProtocolResult(
        chosen,
        _spread(aucs[rows, choices]),
        None if tprs is None else _spread(tprs[rows, choices]),
    )


def _spread(values: NDArray[np.float64]) -> Spread:
    return Spread(float(values.mean()), float(values.std(ddof=1)))
