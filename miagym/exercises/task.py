"""Task of an exercise: one gap, and its check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_REACHED = "not reached: the file stops before it."
"""Said of a task whose gap lies behind the place where a file stops."""


class Wrong(Exception):
    """Raised for a gap that is not filled well; the message is a hint, and not the solution."""


class NotWritten(Wrong):
    """Raised for a gap that is not filled at all."""


@dataclass(frozen=True)
class Task:
    """Task of an exercise: a gap, found in the file by its name.

    Args:
        name: of a function, or of an answer, which is a plain value.
        about: what it does, in a line.
        hint: where to begin, for somebody who has not.
        check: gets the function or the value, and raises `Wrong` if it is not as it should be.
    """

    name: str
    about: str
    hint: str
    check: Callable[[Any], None]


def expect(true: object, hint: str) -> None:
    """Raises `Wrong` with this hint unless it is true."""
    if not true:
        raise Wrong(hint)


def numbers(got: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Checks that a student's function gave finite numbers of a shape.

    Raises:
        Wrong: if it is anything else.
    """
    try:
        array = np.asarray(got, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"expected numbers of shape {shape}, got {type(got).__name__}.") from None
    expect(array.shape == shape, f"expected numbers of shape {shape}, got {array.shape}.")
    expect(np.isfinite(array).all(), "some of the numbers are NaN or infinite.")
    return array


def number(got: object) -> float:
    """Checks that a student's function gave one finite number."""
    return float(numbers(got, ()))


def close(got: object, expected: object, tolerance: float = 1e-6) -> bool:
    """Whether numbers of the same shape agree, up to a tolerance that is absolute and relative."""
    known = np.asarray(expected, dtype=np.float64)
    return bool(np.allclose(numbers(got, known.shape), known, rtol=tolerance, atol=tolerance))


def answered(low: float, high: float, hint: str) -> Callable[[object], None]:
    """Makes a check of an answer that is a number, from `low` to `high`."""

    def check(value: object) -> None:
        expect(low <= number(value) <= high, f"{hint} You answered {value}.")

    return check


def said(word: str, hint: str) -> Callable[[object], None]:
    """Makes a check of an answer that is a word."""

    def check(value: object) -> None:
        expect(isinstance(value, str) and value.strip().lower() == word, hint)

    return check
