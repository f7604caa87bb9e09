"""A column as numbers, however they are written: as integers, floats, decimals, bool or text."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.errors import DataError

MISSING = {"", "na", "n/a", "nan", "none", "null"}
"""Texts that stand for no number, case aside."""

ALL_HELD = 2.0**53
"""Up to here float64 holds every whole number; beyond it, some are rounded."""


def numbers(
    column: pa.ChunkedArray,
    name: str,
    path: Path,
    decimal_comma: bool = False,
    shift: bool = True,
) -> NDArray[np.float64]:
    """Numbers (n,), NaN where one is missing.

    Whole numbers that would be rounded into ties are counted from the smallest of the column: all
    that scores tell is their order and how far apart they are.

    Args:
        column: whatever a file holds.
        name: of the column, for messages.
        path: of the file, for messages.
        decimal_comma: whether 0,5 is a number.
        shift: whether they may be counted from the smallest; not where another column follows.

    Raises:
        DataError: if a value is no number, or whole numbers would be rounded into ties even so.
    """
    column = plain(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _from_text(column, name, path, decimal_comma, shift)
    if not _is_number(column.type):
        raise DataError(f"{path}: `{name}` holds {column.type}; expected numbers.")
    found = column.cast(pa.float64(), safe=False).to_numpy()
    if pa.types.is_integer(column.type) and np.nanmax(np.abs(found), initial=0) >= ALL_HELD:
        exact = [np.nan if value is None else value for value in column.to_pylist()]
        return _exact(exact, name, path, shift)
    return found


def require_finite(values: NDArray[np.float64], name: str, path: Path) -> None:
    """Refuses columns (n,) with gaps.

    Raises:
        DataError: if a value is NaN or infinite.
    """
    infinite, missing = np.isinf(values), np.isnan(values)
    wrong = np.flatnonzero(infinite | missing)
    if len(wrong):
        raise DataError(
            f"{path}: {len(wrong):,} of {len(values):,} values of `{name}` are no finite numbers "
            f"({int(missing.sum()):,} missing or NaN, {int(infinite.sum()):,} infinite; the first "
            f"in {row_names(wrong)}); mend them, since none is dropped silently."
        )


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as what they stand for."""
    is_coded = pa.types.is_dictionary(column.type)
    return column.cast(column.type.value_type) if is_coded else column


def row_names(indices: Sequence[int] | NDArray[np.integer]) -> str:
    """The first rows of many, counted from 1, in words."""
    first = [f"{index + 1:,}" for index in indices[:3]]
    more = ", ..." if len(indices) > 3 else ""
    return f"row{'s' if len(indices) > 1 else ''} {', '.join(first)}{more}"


def _is_number(kind: pa.DataType) -> bool:
    """Whether it casts to float; null is the kind of a column without any value."""
    types = pa.types
    checks = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return types.is_null(kind) or any(check(kind) for check in checks)


def _from_text(
    column: pa.ChunkedArray, name: str, path: Path, decimal_comma: bool, shift: bool
) -> NDArray[np.float64]:
    values, whole = np.empty(len(column)), {}
    for row, text in enumerate(column.to_pylist()):
        bare = (text or "").strip()
        if decimal_comma:
            bare = bare.replace(",", ".")
        try:
            values[row] = np.nan if bare.lower() in MISSING else float(bare)
        except ValueError as error:
            raise DataError(
                f"{path}: row {row + 1} of the data has {bare[:40]!r} as `{name}`; expected a "
                "number."
            ) from error
        if ALL_HELD <= abs(values[row]) < np.inf and bare.lstrip("+-").isdecimal():
            whole[row] = int(bare)
    if any(int(values[row]) != value for row, value in whole.items()):
        exact = [whole.get(row, value) for row, value in enumerate(values.tolist())]
        return _exact(exact, name, path, shift)
    return values


def _exact(values: Sequence[float], name: str, path: Path, shift: bool) -> NDArray[np.float64]:
    """Floats, and whole numbers of any size; different ones stay different."""
    known = {value: Fraction(value) for value in values if math.isfinite(value)}
    least, most = min(known.values()), max(known.values())
    can_shift = shift and most - least < sys.float_info.max / 2
    for start in (Fraction(0), least) if can_shift else (Fraction(0),):
        floats = {value: float(number - start) for value, number in known.items()}
        if len(set(floats.values())) == len(known):
            return np.array([floats.get(value, value) for value in values], dtype=np.float64)
    raise DataError(
        f"{path}: `{name}` holds whole numbers beyond 2^53 that would be rounded into ties; "
        "subtract one number from all of them, or give their ranks."
    )
