"""Paired bootstrap of a difference in TPR at a low FPR, over candidates or over groups of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.auc import Interval, Scores
from miagym.metrics.detection import allowed, tpr_at_fpr
from miagym.metrics.groups.clusters import Codes, effective_sizes

ALPHA = 0.01
"""The FPR at which TPR is compared."""
RESAMPLES = 2000
TAIL = 0.025
MAX_CELLS = 2_000_000
"""Most numbers in one array of a bootstrap, which keeps it below some 100 MB."""


def tpr_difference(
    pairs: Scores, member: NDArray[np.bool_], seed: int, codes: Codes | None = None
) -> tuple[float, Interval, float] | None:
    """Difference of two attacks' TPR, first minus second, its interval and two-sided p-value.

    Stratified bootstrap, percentiles. Candidates are drawn, with both scores each; where they come
    in groups, whole groups are drawn instead.

    At p-values the resamples are counted on either side of 0, those at 0 on both; the least
    possible is 2 / (RESAMPLES + 1).

    Args:
        pairs: scores (2, n).
        member: labels (n,).
        seed: of the resamples.
        codes: groups (n,), from 0.

    Returns:
        None if there are too few non-members to resolve the FPR.
    """
    members, nonmembers = pairs[:, member], pairs[:, ~member]
    found = (tpr_at_fpr(*scores, ALPHA) for scores in zip(members, nonmembers, strict=True))
    points = [point for point in found if point]
    if not points:
        return None
    rng = np.random.default_rng(seed)
    value = points[0].tpr - points[1].tpr
    if codes is None:
        m, differences = members.shape[1], _by_candidates(members, nonmembers, rng)
    else:
        m = min(effective_sizes(scores, member, codes)[0] for scores in pairs)
        differences = _by_groups(pairs, member, codes, rng)
    low, high = (float(end) for end in np.quantile(differences, [TAIL, 1 - TAIL]))
    observed = np.array([[point.threshold for point in points]])
    if abs(value) == 1 or not _found_by_one(members, observed).any():
        # Resamples of members who all agree show too little spread. In m trials without exception,
        # exceptions as common as this go unseen; at ±1 each of them turns the difference by 2.
        unseen = (1 - TAIL ** (1 / m)) * (1 + abs(value))
        low, high = min(low, max(-1.0, value - unseen)), max(high, min(1.0, value + unseen))
    low, high = min(low, value), max(high, value)
    beyond = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return value, (low, high), min(1.0, 2 * (1 + float(beyond)) / (1 + len(differences)))


def _by_candidates(members: Scores, nonmembers: Scores, rng: np.random.Generator) -> Scores:
    """Differences (RESAMPLES,) between attacks, from scores (2, m) and (2, n).

    Given the two thresholds of a resample, only how many members one attack finds and the other
    misses matters, and that is multinomial.
    """
    m = members.shape[1]
    only = _found_by_one(members, _thresholds(nonmembers, rng))
    shares = np.column_stack([only, m - only.sum(axis=1)]) / m
    drawn = rng.multinomial(m, shares)
    return (drawn[:, 0] - drawn[:, 1]) / m


def _by_groups(
    pairs: Scores, member: NDArray[np.bool_], codes: Codes, rng: np.random.Generator
) -> Scores:
    """Differences (at most RESAMPLES,) between attacks, where whole groups are drawn.

    A resample is how often each group was drawn; one without members, or with too few non-members
    to resolve the FPR, says nothing and is left out.
    """
    groups = int(codes.max()) + 1
    sizes = [np.bincount(codes[side], minlength=groups) for side in (member, ~member)]
    ours, theirs = pairs[:, member], pairs[:, ~member]
    whose, others = codes[member], codes[~member]
    order = np.argsort(-theirs, axis=1, kind="stable")
    found: list[Scores] = []
    rows = max(1, MAX_CELLS // groups)
    for start in range(0, RESAMPLES, rows):
        drawn = np.stack([
            np.bincount(rng.integers(groups, size=groups), minlength=groups)
            for _ in range(min(rows, RESAMPLES - start))
        ])  # fmt: skip
        m, n = drawn @ sizes[0], drawn @ sizes[1]
        passing = np.array([allowed(ALPHA, max(1, int(each))) for each in n])
        kept = (m > 0) & (passing > 0)
        drawn, m, passing = drawn[kept], m[kept], passing[kept]
        if not len(drawn):
            continue
        thresholds = np.stack([
            scores[rank[_passed(drawn, others[rank], passing)]]
            for scores, rank in zip(theirs, order, strict=True)
        ])  # fmt: skip
        found.append(_gained(ours, whose, drawn, thresholds) / m)
    return np.concatenate(found) if found else np.zeros(1)


def _passed(
    drawn: NDArray[np.integer], codes: Codes, passing: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The rank at which more than so many are passed, of each resample (r,).

    Args:
        drawn: how often each group is drawn (r, groups).
        codes: group of each non-member, the highest score first.
        passing: how many may pass (r,).
    """
    depth = min(len(codes), 8 * int(passing.max()) + 64)
    while True:
        beyond = np.cumsum(drawn[:, codes[:depth]], axis=1) > passing[:, None]
        if depth == len(codes) or beyond[:, -1].all():
            return np.argmax(beyond, axis=1)
        depth = min(len(codes), 4 * depth)


def _gained(
    members: Scores, codes: Codes, drawn: NDArray[np.integer], thresholds: Scores
) -> NDArray[np.int64]:
    """Members (2, m) that only the first finds less those that only the second finds (r,)."""
    either = (members > thresholds.min(axis=1)[:, None]).any(axis=0)
    (first, second), codes = members[:, either], codes[either]
    gained = np.empty(len(drawn), dtype=np.int64)
    rows = max(1, MAX_CELLS // max(1, len(first)))
    for start in range(0, len(drawn), rows):
        part = slice(start, start + rows)
        ahead = (first > thresholds[0, part, None]).astype(np.int8)
        ahead -= second > thresholds[1, part, None]
        gained[part] = (ahead * drawn[part][:, codes]).sum(axis=1)
    return gained


def _thresholds(nonmembers: Scores, rng: np.random.Generator) -> Scores:
    """Both thresholds (RESAMPLES, 2) of resampled non-members (2, n).

    The (k+1)-th largest of n draws lies beyond rank r only if at most k draws fall on the r
    largest: Bin(n, r/n) draws do. Where that is rarer than 1e-12, only the r largest of either
    attack need to be drawn; how often each is drawn is multinomial, all the rest being one class.
    """
    from scipy.stats import binom

    # By score and not by place in the input, so that the order of candidates changes nothing.
    nonmembers = nonmembers[:, np.lexsort(nonmembers)]
    n = nonmembers.shape[1]
    k = allowed(ALPHA, n)
    ranks = np.arange(k + 1, n + 1)
    deepest = min(n, k + 1 + int(np.sum(binom.cdf(k, n, ranks / n) >= 1e-12)))
    ranking = np.argsort(-nonmembers, axis=1, kind="stable")[:, :deepest]
    top = np.unique(ranking)
    shares = np.append(np.full(len(top), 1 / n), max(0.0, 1 - len(top) / n))
    order = np.argsort(-nonmembers[:, top], axis=1, kind="stable")[:, :deepest]
    found = np.empty((RESAMPLES, 2))
    rows = max(1, MAX_CELLS // len(shares))
    for start in range(0, RESAMPLES, rows):
        drawn = rng.multinomial(n, shares, size=min(rows, RESAMPLES - start))
        for attack in (0, 1):
            passed = np.cumsum(drawn[:, order[attack]], axis=1) > k
            rank = np.argmax(passed, axis=1)
            found[start : start + rows, attack] = nonmembers[attack, top[order[attack]]][rank]
    return found


def _found_by_one(members: Scores, thresholds: Scores) -> NDArray[np.int64]:
    """How many members (2, m) pass only the first, only the second threshold: (resamples, 2)."""
    either = (members > thresholds.min(axis=0)[:, None]).any(axis=0)
    first, second = members[:, either]
    only = np.empty(thresholds.shape, dtype=np.int64)
    rows = max(1, MAX_CELLS // max(1, len(first)))
    for start in range(0, len(thresholds), rows):
        part = slice(start, start + rows)
        passes_first = first > thresholds[part, :1]
        passes_second = second > thresholds[part, 1:]
        only[part, 0] = np.sum(passes_first & ~passes_second, axis=1)
        only[part, 1] = np.sum(passes_second & ~passes_first, axis=1)
    return only
