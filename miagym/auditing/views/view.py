"""View: features of the data to learn from, and cues with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri

Sparse = Any
"""A `csr_array`; its stubs know neither shape nor operators."""

Matrix = NDArray[np.float64] | Sparse

MAX_CATEGORIES = 10
"""A column with more values than this is measured, and looked at in its middle and its tails."""

PENALTY = 0.03
"""Of the ridge on tabular features, chosen on the embedded art: a mild one lets a regression weigh
fine differences between related columns, which is where traces of JPEG show."""

MIN_SPREAD = 0.1
"""Standard deviation that rare marks are scaled by at least, lest a single row decides."""


@dataclass(frozen=True, eq=False)
class View:
    """Features and named cues of some rows.

    Args:
        name: what the tables call it.
        rows: the r rows of the data that it covers.
        features: (r, d), made without a look at membership, of about unit length on average.
        marks: (r, k) of 0 and 1: which row bears which mark.
        mark_names: what the k marks mean, readable.
        measures: by name, a number for each of the r rows.
        penalty: of a ridge regression on the features.
    """

    name: str
    rows: NDArray[np.intp]
    features: Matrix
    marks: Sparse
    mark_names: tuple[str, ...]
    measures: Mapping[str, NDArray[np.float64]]
    penalty: float


def normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal scores of each column of (r, k), by ranks: no outlier, no unit survives."""
    from scipy.stats import rankdata

    return ndtri((rankdata(values, axis=0) - 0.5) / len(values))


def tabular(
    name: str,
    rows: NDArray[np.intp],
    measures: Mapping[str, NDArray[np.float64]],
    marks: Mapping[str, NDArray[np.bool_]],
) -> View | None:
    """A view of named columns (r,); None if they never vary, so that there is nothing to see."""
    measures = {key: column for key, column in measures.items() if np.ptp(column) > 0}
    marks = {key: column for key, column in marks.items() if column.any() and not column.all()}
    features = table_features(measures, marks)
    if not features.shape[1]:
        return None
    borne = np.column_stack([*marks.values(), np.empty((len(rows), 0))])
    return View(name, rows, features, csr_array(borne), tuple(marks), measures, PENALTY)


def table_features(
    measures: Mapping[str, NDArray[np.float64]], marks: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Features (r, d) of columns: normal scores, and their squares, so that spread is seen too."""
    blocks = []
    if measures:
        values = np.column_stack(list(measures.values()))
        scores = normal_scores(values)
        many = [len(np.unique(column)) > MAX_CATEGORIES for column in values.T]
        blocks = [scores, scores[:, many] ** 2]
    blocks += [column[:, None] for column in marks.values()]
    if not blocks:
        return np.empty((0, 0))
    features = np.hstack(blocks).astype(np.float64)
    features -= features.mean(axis=0)
    features /= np.maximum(features.std(axis=0), MIN_SPREAD)
    return features / np.sqrt(features.shape[1])
