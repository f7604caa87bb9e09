"""Candidates that come in groups: how much less they say than as many independent ones.

Pictures of one series, or near-duplicates, score alike, and a fair split deals them together. What
is measured of them varies as if there were fewer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.errors import DataError
from miagym.metrics.distributions import average_ranks

Codes = NDArray[np.intp]
TENTH = 0.1


def group_codes(groups: ArrayLike | None, n: int) -> Codes | None:
    """Group numbers (n,) from 0; None if there are none, or no group holds two candidates.

    Raises:
        DataError: if there are not n of them.
    """
    if groups is None:
        return None
    if (shape := np.shape(groups)) != (n,):
        raise DataError(f"Expected a group for each of {n} candidates, got shape {shape}.")
    codes = group_numbers(groups)
    return None if codes.max() + 1 == n else codes


def group_numbers(groups: ArrayLike) -> Codes:
    """Numbers from 0 (n,), one for each distinct group."""
    return np.unique(np.asarray(groups), return_inverse=True)[1]


def check_groups(groups: ArrayLike, member: NDArray[np.bool_], what: str) -> None:
    """Refuses groups (n,) of which one side has a single one.

    Raises:
        DataError: naming `what` they are of.
    """
    for side, word in ((member, "members"), (~member, "non-members")):
        if len(np.unique(np.asarray(groups)[side])) < 2:
            raise DataError(
                f"{what}: all {int(side.sum()):,} {word} are of one group, so nothing shows how "
                "much others would differ; expected 2 groups on each side or more: give finer "
                "groups, or none if candidates are independent."
            )


def group_sums(values: NDArray[np.float64], codes: Codes, groups: int) -> NDArray[np.float64]:
    """Sum of the values (n,) of each group (groups,); 0 of one without any."""
    return np.bincount(codes, values, minlength=groups).astype(np.float64)


def effective_sizes(
    scores: NDArray[np.float64], member: NDArray[np.bool_], codes: Codes
) -> tuple[float, float]:
    """How many independent members, and non-members, say as much about scores (n,) as these do."""
    ours, theirs = (effective_size(scores[side], codes[side]) for side in (member, ~member))
    return ours, theirs


def effective_size(scores: NDArray[np.float64], codes: Codes) -> float:
    """How many independent scores say as much as these (n,) in groups (n,): from 1 to n.

    n / (1 + (b - 1) r) (Kish 1965), with r the intraclass correlation of their ranks, and b the
    mean size of the group that a candidate is in.
    """
    return len(scores) / (
        1 + (mean_group(codes) - 1) * intraclass_correlation(average_ranks(scores), codes)
    )


def effective_passing(scores: NDArray[np.float64], codes: Codes, threshold: float) -> float:
    """How many independent scores say as much about the share above a threshold: from 1 to n.

    Look-alikes have similar scores, and less often are both extreme. So what counts is how often
    they pass together; where fewer than a tenth of all pass, or do not, that of a threshold which
    a tenth passes, since so few would not show it.
    """
    low, high = np.quantile(scores, [TENTH, 1 - TENTH])
    passes = (scores > min(max(threshold, low), high)).astype(np.float64)
    return len(scores) / (1 + (mean_group(codes) - 1) * intraclass_correlation(passes, codes))


def passing_worth(
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    groups: tuple[Codes, Codes],
    threshold: float,
) -> tuple[float, float]:
    """How many independent members, and non-members, say as much about who passes a threshold."""
    return (
        effective_passing(members, groups[0], threshold),
        effective_passing(nonmembers, groups[1], threshold),
    )


def mean_group(codes: Codes) -> float:
    """Mean size of the group that a candidate is in: the sum of the squared sizes over n."""
    sizes = np.bincount(codes)
    return float((sizes**2).sum() / len(codes))


def intraclass_correlation(values: NDArray[np.float64], codes: Codes) -> float:
    """Intraclass correlation of values (n,) in groups, by analysis of variance, cut to [0, 1].

    Donner 1986, International Statistical Review 54. 1 where there is too little to tell: a single
    group, say.
    """
    distinct, codes = np.unique(codes, return_inverse=True)
    k, n = len(distinct), len(values)
    if k == n:
        return 0.0
    if k == 1:
        return 1.0
    sizes = np.bincount(codes)
    means = np.bincount(codes, values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (k - 1)
    within = float(((values - means[codes]) ** 2).sum()) / (n - k)
    typical = (n - float((sizes**2).sum()) / n) / (k - 1)
    total = between + (typical - 1) * within
    return 1.0 if total <= 0 else float(np.clip((between - within) / total, 0, 1))
