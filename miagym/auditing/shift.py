"""Shift between the two sides: maximum mean discrepancy under a Gaussian kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.ridge import row_products
from miagym.auditing.views.view import Matrix

MAX_ROWS = 2000
"""Rows compared at most, drawn at random: every pair of them counts."""


def discrepancies(features: Matrix, labels: NDArray[np.bool_], seed: int) -> NDArray[np.float64]:
    """Unbiased squared maximum mean discrepancy between the sides of each column of labels.

    Gretton et al., A Kernel Two-Sample Test, JMLR 2012, equation 3; the width of the kernel is the
    median distance of two rows.

    Args:
        features: (n, d).
        labels: (n, b).
        seed: of the rows that are compared, where there are more than `MAX_ROWS`.

    Returns:
        (b,); about 0 where both sides are drawn alike, and NaN where one has less than two rows.
    """
    some = np.random.default_rng(seed).permutation(len(labels))[:MAX_ROWS]
    member = labels[some].astype(np.float32)
    products = row_products(features[some])
    lengths = products.diagonal()
    squares = np.maximum(lengths[:, None] + lengths - 2 * products, 0)
    width = np.median(squares[np.triu_indices_from(squares, 1)])
    kernel = np.exp(-squares / (width if width > 0 else 1.0))
    np.fill_diagonal(kernel, 0)
    m = member.sum(axis=0, dtype=np.float64)
    n = len(some) - m
    ours = kernel @ member
    within = (member * ours).sum(axis=0, dtype=np.float64)
    across = ours.sum(axis=0, dtype=np.float64) - within
    others = kernel.sum(dtype=np.float64) - within - 2 * across
    with np.errstate(divide="ignore", invalid="ignore"):
        return within / (m * (m - 1)) + others / (n * (n - 1)) - 2 * across / (m * n)
