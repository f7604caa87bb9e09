"""Columns of scores that are variants of one attack, below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.errors import DataError
from miagym.scorefile.reading.file import ScoreFile
from miagym.scorefile.reading.numbers import numbers, plain, require_finite

SCORE, VARIANT = "score", "variant"


def stacked(file: ScoreFile, chosen: Sequence[str]) -> ScoreFile:
    """The file with these columns as variants of one attack, each variant scored on all rows.

    One column alone is no choice: it becomes the score.

    Args:
        file: with a column of scores for each variant, timesteps say.
        chosen: names of these columns.

    Raises:
        DataError: if the file lacks one, or one is named twice.
    """
    check_there(file, chosen)
    if len(set(chosen)) < len(chosen) or not chosen:
        raise DataError(f"Expected different columns of scores, got {', '.join(chosen) or 'none'}.")
    others = [name for name in file.names if name not in (*chosen, SCORE, VARIANT)]
    times = len(chosen)

    def column(name: str) -> pa.ChunkedArray:
        if name == SCORE:
            return pa.chunked_array([np.concatenate([checked(file, each) for each in chosen])])
        if name == VARIANT:
            sizes = [len(file.column(each)) for each in chosen]
            return pa.chunked_array([np.repeat(np.array(chosen, dtype=np.str_), sizes).tolist()])
        once = plain(file.column(name))
        return pa.chunked_array([chunk for _ in range(times) for chunk in once.chunks], once.type)

    made = (SCORE, VARIANT) if times > 1 else (SCORE,)
    return replace(file, names=(*made, *others), column=column)


def check_there(file: ScoreFile, chosen: Sequence[str]) -> None:
    """Whether a file has these columns of scores.

    Raises:
        DataError: if it lacks one, with those that it has.
    """
    for name in chosen:
        if name not in file.names:
            shown = ", ".join(other[:40] for other in file.names[:12] if other)
            raise DataError(
                f"{file.path} has no column {name!r} of scores; expected some of {shown}."
            )


def checked(file: ScoreFile, name: str) -> NDArray[np.float64]:
    """Scores (n,), checked where rows are still those of the file.

    Raises:
        DataError: if one is missing, NaN or infinite, or no number.
    """
    values = numbers(file.column(name), name, file.path, file.decimal_comma, shift=False)
    require_finite(values, name, file.path)
    return values
