"""Checks of verdicts before they are graded: that they are whole, and by which grader."""

from __future__ import annotations

import numpy as np

from miagym.envs.grading.verdicts import Verdicts
from miagym.errors import DataError

ABOUT = {
    "grade": "on candidates under one target",
    "grade_family": "on candidates under targets of a family",
    "grade_audit": "on whole hands, as an audit asks for",
}
"""What each grader grades."""
MAX_SIDE = 4096


def check_verdicts(verdicts: Verdicts, grader: str) -> None:
    """Checks that a grader can grade verdicts.

    Args:
        verdicts: of an environment, or loaded from a file.
        grader: its name, of those in `ABOUT`.

    Raises:
        DataError: if another one grades them, there are none, or a number is none.
    """
    right = "grade_audit" if verdicts.hands else "grade_family"
    right = "grade" if verdicts.family is None else right
    if right != grader:
        raise DataError(f"These verdicts are {ABOUT[right]}; grade them with {right}(verdicts).")
    if not len(verdicts):
        raise DataError("There are no verdicts to grade; end an episode on `val` or `test` first.")
    if verdicts.split not in ("train", "val", "test") or not 0 < verdicts.size <= MAX_SIDE:
        raise DataError(
            f"Expected verdicts on train, val or test and pictures of 1 to {MAX_SIDE} pixels a "
            f"side, got {verdicts.split!r} and {verdicts.size}."
        )
    if not len(verdicts) == len(verdicts.probability) == len(verdicts.spent):
        raise DataError("Expected a probability and a spending for each candidate.")
    if not ((verdicts.probability >= 0) & (verdicts.probability <= 1)).all():
        raise DataError("Expected probabilities from 0 to 1, got others, or NaN.")
    if not (np.isfinite(verdicts.spent) & (verdicts.spent >= 0)).all():
        raise DataError("Expected spending of 0 or more UNet rows, got less, or NaN.")


def check_handed(verdicts: Verdicts, data: object, grader: str) -> None:
    """Checks that data which no name leads to were handed to a grader.

    Raises:
        DataError: if not.
    """
    if data is None and not verdicts.by_name:
        raise DataError(
            f"These verdicts are about data that the environment was handed, {verdicts.data}; hand "
            f"it to the grader too: {grader}(verdicts, data)."
        )
