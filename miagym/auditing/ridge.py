"""Ridge regression of membership on a view's features, scored out of fold.

Regression on labels has a closed form, so that the whole cross-validation is repeated for hundreds
of shuffled labels at the price of a few: the features and the folds are made without the labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse
from scipy.special import expit, logit
from scipy.stats import rankdata
from sklearn.model_selection import GroupKFold

from miagym.auditing.views.view import Matrix
from miagym.metrics.auc import Interval

FOLDS = 5
_Held = Iterator[tuple[NDArray[np.intp], NDArray[np.floating]]]

MAX_RANKED_COLUMNS = 64
"""Columns ranked at a time, which bounds memory."""
MAX_PRODUCT_ROWS = 256
"""Rows of a product that are made at a time, likewise."""


def folds_of(groups: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """Assigns each row (n,) a fold; near-duplicates, which share a group, share a fold."""
    fold = np.empty(len(groups), dtype=np.intp)
    splitter = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(splitter.split(fold, groups=groups)):
        fold[held_out] = number
    return fold


def out_of_fold(
    features: Matrix, labels: NDArray[np.bool_], fold: NDArray[np.intp], penalty: float
) -> NDArray[np.float32]:
    """Out-of-fold scores of each row, by a ridge regression on the rows of other folds.

    Scores are standardised within each fold: a fold with more members leaves fewer to learn from,
    which lowers all its scores, so that scores pooled as they are would be below chance on a fair
    split. Near-duplicates and labels that balance each other (stratified splits) still may be.

    Args:
        features: (n, d).
        labels: (n, b), a regression for each column.
        fold: the fold of each row (n,).
        penalty: of the ridge; features have about unit length.

    Returns:
        Scores (n, b), higher = member.
    """
    scores = np.zeros(labels.shape, dtype=np.float32)
    predict = _from_rows if features.shape[0] <= features.shape[1] else _from_features
    for test, raw in predict(features, labels, fold, penalty):
        spread = raw.std(axis=0)
        scores[test] = (raw - raw.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return scores


def aucs(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """AUC of each column of scores (n, b) for the labels in the same column."""
    members = labels.sum(axis=0)
    above = np.empty(labels.shape[1])
    for start in range(0, labels.shape[1], MAX_RANKED_COLUMNS):
        part = slice(start, start + MAX_RANKED_COLUMNS)
        above[part] = (rankdata(scores[:, part], axis=0) * labels[:, part]).sum(axis=0)
    return (above - members * (members + 1) / 2) / (members * (len(labels) - members))


def widened(ci: Interval, values: NDArray[np.float64], sides: tuple[int, int]) -> Interval:
    """Widens the interval of an out-of-fold AUC, whose scores depend on each other.

    Each row is scored by others and teaches them in turn, and near-duplicates come together, so
    that out-of-fold AUCs of fair splits spread more (by about 1.4) than those of independent
    scores. The interval is stretched by as much, on the logit scale.

    Args:
        ci: as if scores were independent.
        values: AUCs (b,), the one in question first, then those of shuffles.
        sides: number of members and of non-members.
    """
    m, n = sides
    stretch = max(1.0, values[1:].std() / np.sqrt((m + n + 1) / (12 * m * n)))
    if not 0 < values[0] < 1:
        return ci
    centre = logit(values[0])
    low, high = expit(centre + stretch * (logit(ci) - centre))
    return float(low), float(high)


def _from_rows(
    features: Matrix, labels: NDArray[np.bool_], fold: NDArray[np.intp], penalty: float
) -> _Held:
    """Each fold's rows and raw scores, by products of rows: for fewer rows than columns."""
    kernel = row_products(features)
    for test, train in _cuts(fold):
        inner = kernel[np.ix_(train, train)]
        inner[np.diag_indices_from(inner)] += penalty
        targets = _centred(labels[train]).astype(np.float32)
        weights = cho_solve(cho_factor(inner, overwrite_a=True), targets)
        yield test, kernel[np.ix_(test, train)] @ weights


def _from_features(
    features: Matrix, labels: NDArray[np.bool_], fold: NDArray[np.intp], penalty: float
) -> _Held:
    """The same by products of columns: for fewer columns than rows."""
    total = dense(features.T @ features)
    for test, train in _cuts(fold):
        moments = features[train].T @ _centred(labels[train])
        yield test, features[test] @ _solved(total, features[test], moments, penalty)


def _solved(
    total: NDArray[Any], held: Matrix, moments: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Weights (d, b) without the held rows. One matrix (d, d) is made here, and no copy of it."""
    inner = total.copy()
    columns: Any = held.T
    if issparse(columns):
        columns = columns.tocsr()
    for start in range(0, len(inner), MAX_PRODUCT_ROWS):
        part = slice(start, start + MAX_PRODUCT_ROWS)
        inner[part] -= dense(columns[part] @ held)
    inner[np.diag_indices_from(inner)] += penalty
    # It is symmetric; transposed it lies in memory as LAPACK wants it, and is not copied.
    return cho_solve(cho_factor(inner.T, overwrite_a=True), moments, overwrite_b=True)


def row_products(features: Matrix) -> NDArray[np.float32]:
    """Inner products (n, n) of all rows; sparse text is full enough for dense products to win."""
    rows = dense(features.astype(np.float32))
    return rows @ rows.T


def _cuts(fold: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for number in np.unique(fold):
        yield np.flatnonzero(fold == number), np.flatnonzero(fold != number)


def _centred(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    return labels - labels.mean(axis=0)


def dense(product: Any) -> NDArray[Any]:
    return product.toarray() if issparse(product) else product
