"""Scores that come as one file for each side: arrays (n,), or (n, timesteps), or tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.errors import DataError
from miagym.scorefile.reading.columns import MEMBER, OWN_NAMES, texts
from miagym.scorefile.reading.file import (
    BROKEN,
    ScoreFile,
    column_of,
    first_bytes,
    open_scores,
    unreadable,
)
from miagym.scorefile.reading.text import separated_columns, text_of, with_names
from miagym.scorefile.reading.variants import SCORE, check_there, checked, stacked

SideLike = str | Path | NDArray[Any]
"""A file of one side's scores, or the scores: (n,), or (n, timesteps)."""


def open_sides(
    members: SideLike, nonmembers: SideLike, chosen: Sequence[str] | None = None
) -> ScoreFile:
    """Opens the scores of members and of non-members as one file of scores and labels.

    Several columns are variants of one attack, of which one is chosen as `attacks_of` does.

    Args:
        members: NPY (never with pickles), NPZ, CSV, TSV, JSON or parquet, or an array.
        nonmembers: the same of the others, with the same columns.
        chosen: columns to use; by default `score` if there is one, else all but those with a role.

    Raises:
        DataError: if one cannot be read, they differ in their columns, or hold labels.
    """
    inside = _side(members, "the given members")
    outside = _side(nonmembers, "the given non-members")
    for side in (inside, outside):
        if MEMBER in side.names:
            raise DataError(
                f"{side.path} has a column `{MEMBER}`, so it holds both sides by itself; give it "
                "alone."
            )
    differ = sorted(set(inside.names) ^ set(outside.names))
    if differ and chosen is None:
        raise DataError(
            f"{inside.path} has {_shown(inside.names)} and {outside.path} has "
            f"{_shown(outside.names)}; expected the same columns of both sides."
        )
    scored = tuple(chosen or _scores(inside))
    for side in (inside, outside):
        check_there(side, scored)
    return stacked(_together(inside, outside, scored), scored)


def _side(side: SideLike, called: str) -> ScoreFile:
    if isinstance(side, str | Path):
        return _file(Path(side))
    try:
        values = np.asarray(side)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"Expected a file or an array of scores, got {side!r}.") from error
    return _matrix(Path(called), values)


def _file(path: Path) -> ScoreFile:
    head = first_bytes(path)
    if head.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        values = _only_array(path)
        if values is None or values.dtype.names:
            return open_scores(path)
        return _matrix(path, values)
    if head.startswith(b"PAR1"):
        return open_scores(path)
    text = text_of(path.read_bytes(), str(path))
    if text.lstrip()[:1] in ("", "{", "["):
        return open_scores(path)
    names, columns, delimiter = separated_columns(with_names(text, str(path)), str(path))
    table = {name: pa.chunked_array([pa.array(v)]) for name, v in zip(names, columns, strict=True)}
    return ScoreFile(path, names, table.__getitem__, decimal_comma=delimiter != ",")


def _only_array(path: Path) -> NDArray[Any] | None:
    """The array of an NPY file, or of an NPZ file that holds one; never a pickle."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return loaded[loaded.files[0]] if len(loaded.files) == 1 else None
    except BROKEN as error:
        raise unreadable(path, "its array", error) from error


def _matrix(path: Path, values: NDArray[Any]) -> ScoreFile:
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        return ScoreFile(path, (SCORE,), lambda name: column_of(values, path, "its array"))
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(
            f"{path} holds an array {values.shape}; expected (n,), or (n, timesteps) with a row "
            "for each candidate."
        )
    if values.shape[1] > values.shape[0]:
        raise DataError(
            f"{path} holds an array {values.shape}, which is more timesteps than candidates; "
            "expected a row for each candidate: save its transpose."
        )
    names = tuple(map(str, range(values.shape[1])))
    return ScoreFile(path, names, lambda name: column_of(values[:, int(name)], path, name))


def _scores(file: ScoreFile) -> list[str]:
    """The columns that hold scores, where nobody says which."""
    if SCORE in file.names:
        return [SCORE]
    roles = {name for names in OWN_NAMES.values() for name in names}
    found = [name for name in file.names if name and name not in roles]
    if not found:
        raise DataError(f"{file.path} has no column of scores, found {_shown(file.names)}.")
    return found


def _together(inside: ScoreFile, outside: ScoreFile, scored: Sequence[str]) -> ScoreFile:
    """Columns that both have, members first, and the labels."""
    sides = (inside, outside)
    both = [name for name in inside.names if name and name in outside.names]
    names = tuple(name for name in both if name not in OWN_NAMES["id"])  # of one side each

    def column(name: str) -> pa.ChunkedArray:
        if name == MEMBER:
            return pa.chunked_array(
                [np.repeat([True, False], [len(s.column(both[0])) for s in sides])]
            )
        if name in scored:
            return pa.chunked_array([np.concatenate([checked(side, name) for side in sides])])
        return pa.chunked_array([chunk for side in sides for chunk in texts(side, name).chunks])

    path = Path(f"{inside.path.name} and {outside.path.name}")
    return ScoreFile(path, (*names, MEMBER), column)


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:8] if name) or "no columns"
    return shown + (", ..." if len(names) > 8 else "")
