"""A column as numbers, however they are written: as integers, floats, decimals, bool or text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.errors import DataError

MISSING = {"", "na", "n/a", "nan", "none", "null"}
"""Texts that stand for no number, case aside."""


def numbers(
    column: pa.ChunkedArray, name: str, path: Path, decimal_comma: bool = False
) -> NDArray[np.float64]:
    """Numbers (n,), NaN where one is missing.

    Args:
        column: whatever a file holds.
        name: of the column, for messages.
        path: of the file, for messages.
        decimal_comma: whether 0,5 is a number.

    Raises:
        DataError: if a value is no number.
    """
    column = plain(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _from_text(column, name, path, decimal_comma)
    if not _is_number(column.type):
        raise DataError(f"{path}: `{name}` holds {column.type}; expected numbers.")
    return column.cast(pa.float64(), safe=False).to_numpy()


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
    column: pa.ChunkedArray, name: str, path: Path, decimal_comma: bool
) -> NDArray[np.float64]:
    values = np.empty(len(column))
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
    return values
