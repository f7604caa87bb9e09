"""Timesteps and draws of a batch, given as one for all rows or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np

from miagym.errors import DataError

ForEach = int | Sequence[int]
"""One whole number for all rows, or one for each row."""


def for_each(value: ForEach, rows: int, what: str) -> list[int]:
    """Whole numbers of so many rows, one for each.

    Args:
        value: one for all, or one for each.
        rows: how many there are.
        what: the name of such a number, for the message.

    Raises:
        DataError: if there are more or fewer than rows, or they are no whole numbers.
    """
    try:
        if isinstance(value, (int, np.integer)):
            return [index(value)] * rows
        each = [index(one) for one in value]
    except TypeError as error:
        raise DataError(
            f"Expected one {what} for all rows or one for each, as whole numbers, got {value!r}."
        ) from error
    if len(each) != rows:
        raise DataError(
            f"Expected one {what} for all rows or one for each of the {rows}, got {len(each)}."
        )
    return each
