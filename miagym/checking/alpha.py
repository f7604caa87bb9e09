"""The false positive rate that a check allows; what holds it imports no library of statistics."""

from __future__ import annotations

from miagym.errors import DataError

ALPHA = 0.01


def check_alpha(alpha: float) -> None:
    """Checks the false positive rate that is allowed.

    Raises:
        DataError: if it is no share.
    """
    if not 0 < alpha < 1:
        raise DataError(f"Expected an alpha between 0 and 1, such as 0.01, got {alpha}.")
