"""A list of pictures at a false discovery rate, from their conformal p-values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.errors import DataError


@dataclass(frozen=True)
class Discoveries:
    """Pictures that are listed at a false discovery rate.

    Args:
        fdr: at most this share of the list are non-members, on average over calibrations.
        listed: rows of the list, in order.
        q_values: of each picture (n,): the lowest rate at which it is listed.
        missing: how many more non-members it takes before a list of a single picture is possible.
    """

    fdr: float
    listed: tuple[int, ...]
    q_values: tuple[float, ...]
    missing: int


def check_rate(fdr: float) -> None:
    """Checks a false discovery rate, before the work if need be.

    Raises:
        DataError: if it is not between 0 and 1.
    """
    if not 0 < fdr < 1:
        raise DataError(f"Expected a false discovery rate between 0 and 1, such as 0.1, got {fdr}.")


def discoveries(p_values: NDArray[np.float64], nonmembers: int, fdr: float) -> Discoveries:
    """Benjamini & Hochberg (1995) on conformal p-values (n,) that share their non-members.

    Such p-values depend on each other, but positively (PRDS), so that the procedure holds: Bates,
    Candès, Lei, Romano & Sesia 2023 (Annals of Statistics 51), theorem 2.

    Args:
        p_values: (n,), of pictures against the same non-members.
        nonmembers: how many those are.
        fdr: the rate that is allowed, in (0, 1).

    Raises:
        DataError: if the rate is not between 0 and 1.
    """
    from scipy.stats import false_discovery_control

    check_rate(fdr)
    if not len(p_values):
        return Discoveries(fdr, (), (), 0)
    q_values = false_discovery_control(p_values, method="bh")
    listed = np.flatnonzero(q_values <= fdr + 1e-12)
    enough = math.ceil(len(p_values) / fdr - 1e-9) - 1
    return Discoveries(
        fdr,
        tuple(listed.tolist()),
        tuple(q_values.tolist()),
        max(0, enough - nonmembers),
    )
