"""A file of scores as named columns; its content tells what it is, its name does not."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from miagym.data.labels import class_names
from miagym.errors import DataError
from miagym.scorefile.reading.numbers import numbers, plain
from miagym.scorefile.reading.text import json_columns, separated_columns, text_of

KINDS = "CSV, TSV, JSON, JSON lines, parquet, NPZ and NPY"
FOREIGN = {
    b"\x80": "a pickle, which miagym never opens, since loading one can run code",
    b"\x1f\x8b": "compressed by gzip; unpack it first",
    b"\x89HDF": "an HDF5 file",
    b"ARROW1": "an Arrow file; write it as parquet",
}
"""Kinds that are known by their first bytes and not read."""
BROKEN = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    NotImplementedError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise on files that are broken."""


@dataclass(frozen=True)
class ScoreFile:
    """Columns of a file; each is read when it is asked for."""

    path: Path
    names: tuple[str, ...]
    column: Callable[[str], pa.ChunkedArray]
    """Reads a column; raises `DataError` if that is impossible."""
    decimal_comma: bool = False
    """Whether 0,5 can be a number, as it can where columns are not separated by commas."""
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of the numbers in columns, where the file carries them."""


def open_scores(path: Path) -> ScoreFile:
    """Opens a file of scores, of whatever kind it is.

    Two arrays `members` and `nonmembers` of scores stand for columns `score` and `member`.

    Raises:
        DataError: if it cannot be read, or is none of `KINDS`.
    """
    content = first_bytes(path)
    for magic, what in FOREIGN.items():
        if content.startswith(magic):
            raise DataError(f"{path} is {what}; expected one of {KINDS}.")
    if content.startswith(b"PAR1"):
        found = _parquet(path)
    elif content.startswith(b"PK\x03\x04"):
        found = _npz(path)
    elif content.startswith(b"\x93NUMPY"):
        found = _npy(path)
    else:
        found = _text(path)
    named = [name for name in found.names if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise DataError(f"{path} has more than one column called {' and '.join(twice)}; name each.")
    return found


def first_bytes(path: Path) -> bytes:
    """The first bytes."""
    if path.is_dir():
        inside = "scores.parquet" if (path / "scores.parquet").is_file() else "a file of scores"
        raise DataError(f"{path} is a folder; give {inside} in it.")
    if not path.exists():
        raise DataError(f"There is no file {path}.")
    if not path.is_file():
        raise DataError(f"{path} is no ordinary file; write the scores to one.")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not head:
        raise DataError(f"{path} is empty; expected scores and labels.")
    return head


def _text(path: Path) -> ScoreFile:
    try:
        text = text_of(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not text.strip():
        raise DataError(f"{path} is empty; expected scores and labels.")
    if text.lstrip()[0] in "{[":
        return _in_memory(path, json_columns(text, str(path)))
    names, columns, delimiter = separated_columns(text, str(path))

    def column(name: str) -> pa.ChunkedArray:
        return pa.chunked_array([pa.array(columns[names.index(name)], pa.string())])

    return ScoreFile(path, names, column, decimal_comma=delimiter != ",")


def _parquet(path: Path) -> ScoreFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} begins as parquet and is broken: {_first(error)}.") from error

    def column(name: str) -> pa.ChunkedArray:
        try:
            return file.read(columns=[name]).column(name)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: `{name}` cannot be read: {_first(error)}.") from error

    schema = file.schema_arrow
    return ScoreFile(path, tuple(schema.names), column, classes=class_names(schema))


def _npz(path: Path) -> ScoreFile:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
    except BROKEN as error:
        raise DataError(f"{path} begins as NPZ and is broken: {_first(error)}.") from error
    names = tuple(name.removesuffix(".npy") for name in inside if name.endswith(".npy"))
    if not names:
        pickled = any(name.endswith(".pkl") for name in inside)
        what = "of PyTorch, which holds a pickle" if pickled else "that holds no NumPy arrays"
        raise DataError(f"{path} is a zip archive {what}; expected one of {KINDS}.")

    def column(name: str) -> pa.ChunkedArray:
        try:
            with np.load(path, allow_pickle=False) as archive:
                values = archive[name]
        except BROKEN as error:
            raise unreadable(path, name, error) from error
        return column_of(values, path, name)

    return _sides(ScoreFile(path, names, column))


def _npy(path: Path) -> ScoreFile:
    try:
        values = np.load(path, allow_pickle=False)
    except BROKEN as error:
        raise unreadable(path, "its array", error) from error
    names = values.dtype.names
    if not names:
        raise DataError(
            f"{path} holds one array {values.shape} without labels; save `score` and `member` "
            "together, as by numpy.savez."
        )
    return ScoreFile(path, names, lambda name: column_of(values[name], path, name))


def _in_memory(path: Path, columns: Mapping[str, list[object]]) -> ScoreFile:
    def column(name: str) -> pa.ChunkedArray:
        try:
            return pa.chunked_array([pa.array(columns[name])])
        except (pa.ArrowException, OverflowError) as error:
            raise DataError(
                f"{path}: the values of `{name}` are not all of one kind ({_first(error)})."
            ) from error

    return _sides(ScoreFile(path, tuple(columns), column))


def _sides(file: ScoreFile) -> ScoreFile:
    """A file of member scores and non-member scores, as one of scores and labels."""
    known = {name.lower().replace("_", "").replace("-", ""): name for name in file.names}
    for ending in ("", "scores"):
        sides = [known.get(f"{side}{ending}") for side in ("nonmember", "member")]
        sides = sides if ending else [known.get("nonmembers"), known.get("members")]
        if None in sides or {"score", "member"} & set(file.names):
            continue
        outside, inside = (str(side) for side in sides)

        def column(name: str, inside: str = inside, outside: str = outside) -> pa.ChunkedArray:
            if name == "score":
                columns = [plain(file.column(side)) for side in (inside, outside)]
                if pa.types.is_integer(columns[0].type) and columns[0].type == columns[1].type:
                    return pa.chunked_array([chunk for both in columns for chunk in both.chunks])
                sides = zip(columns, (inside, outside), strict=True)
                parts = [numbers(both, side, file.path, shift=False) for both, side in sides]
                return pa.chunked_array([np.concatenate(parts)])
            if name == "member":
                sizes = len(file.column(inside)), len(file.column(outside))
                return pa.chunked_array([np.repeat([True, False], sizes)])
            return file.column(name)

        return ScoreFile(file.path, ("score", "member", *file.names), column)
    return file


def column_of(values: np.ndarray, path: Path, name: str) -> pa.ChunkedArray:
    """An array (n,), or (n, 1) as networks give it."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"{path}: `{name}` has shape {values.shape}, expected (n,); save one array for each "
            "attack or variant, or a matrix for each side by itself."
        )
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):
        values = values.astype(np.float64)
    try:
        return pa.chunked_array([pa.array(values.astype(values.dtype.newbyteorder("=")))])
    except (pa.ArrowException, TypeError) as error:
        raise unreadable(path, name, error) from error


def unreadable(path: Path, name: str, error: BaseException) -> DataError:
    if "allow_pickle" in str(error):
        return DataError(
            f"{path}: `{name}` is stored as a pickle, which miagym never opens, since loading one "
            "can run code; save it as numbers, bool or text."
        )
    return DataError(f"{path}: `{name}` cannot be read: {_first(error)}.")


def _first(error: BaseException) -> str:
    """The first line of what a library says."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
