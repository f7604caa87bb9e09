"""Data by name: the embedded splits, a parquet file, or a folder of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miagym.data.clipart import art
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.splits import deal
from miagym.errors import DataError, UnknownName

EMBEDDED = {
    "clipart": ("base-member", "base-nonmember"),
    "clipart-tune": ("tune-member", "tune-nonmember"),
}
"""Embedded splits, with the roles of members and non-members: `clipart` for `clipart-realistic`,
`clipart-tune` for `clipart-overfit`."""

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
SPLIT_SEED = 0


def load_data(name: str) -> Dataset:
    """Loads data by embedded name, parquet file or folder.

    A parquet file has columns `image` (encoded bytes, or a path), `member` (bool), and if wanted
    `caption`, `group` (never cut by a split) and `part` ("calibration" or "test"). A folder has
    pictures in `members/` and `nonmembers/`, each with its caption in a `.txt` beside it if it has
    one. Without `part`, a third of the groups calibrates and the rest tests.

    Raises:
        UnknownName: if there is no such name or file.
        DataError: if what is there cannot be used.
    """
    if name in EMBEDDED:
        return _embedded(name)
    path = Path(name)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _parquet(path)
    raise UnknownName("data set", name, EMBEDDED, "A parquet file or a folder works as well.")


def _embedded(name: str) -> Dataset:
    member, nonmember = EMBEDDED[name]
    role = np.array(art.table()["role"].to_pylist())
    rows = np.flatnonzero((role == member) | (role == nonmember))
    table = art.table().take(rows)
    return Dataset(
        name,
        table["image"].to_pylist(),
        tuple(table["caption"].to_pylist()),
        role[rows] == member,
        np.array(table["part"].to_pylist()),
    )


def _parquet(path: Path) -> Dataset:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error
    missing = {"image", "member"} - set(table.column_names)
    if missing:
        raise DataError(
            f"{path} lacks the column {' and '.join(sorted(missing))}; expected `image` and "
            f"`member`, found {', '.join(table.column_names)}."
        )
    if not pa.types.is_boolean(table["member"].type):
        raise DataError(f"{path}: `member` must be true or false, it is {table['member'].type}.")
    if table["member"].null_count:
        raise DataError(f"{path}: {table['member'].null_count} rows have no value for `member`.")
    n = table.num_rows
    captions = table["caption"].to_pylist() if "caption" in table.column_names else [""] * n
    if not all(caption is None or isinstance(caption, str) for caption in captions):
        raise DataError(f"{path}: `caption` must be text, it is {table['caption'].type}.")
    pictures = [_picture(value, path, row) for row, value in enumerate(table["image"].to_pylist())]
    member = np.array(table["member"].to_pylist(), dtype=bool)
    groups = np.arange(n)
    if "group" in table.column_names:
        groups = np.unique(np.array(table["group"].to_pylist()).astype(str), return_inverse=True)[1]
    part = _parts(groups, member)
    if "part" in table.column_names:
        part = np.array(table["part"].to_pylist())
        if not set(part) <= {CALIBRATION, TEST}:
            raise DataError(
                f"{path}: `part` must be {CALIBRATION!r} or {TEST!r}, found {set(part)}."
            )
    return Dataset(path.stem, pictures, tuple(c or "" for c in captions), member, part)


def _picture(value: object, path: Path, row: int) -> bytes | Path:
    if isinstance(value, dict):  # as `datasets` writes its Image feature
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return path.parent / value
    raise DataError(f"{path}: row {row} has no picture; expected encoded bytes or a path.")


def _folder(path: Path) -> Dataset:
    sides = {True: path / "members", False: path / "nonmembers"}
    files: list[Path] = []
    member: list[bool] = []
    for is_member, folder in sides.items():
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
        if not found:
            raise DataError(f"Expected pictures in {folder}, found none.")
        files += found
        member += [is_member] * len(found)
    captions = tuple(_sidecar(file.with_suffix(".txt")) for file in files)
    labels = np.array(member)
    return Dataset(path.name, files, captions, labels, _parts(np.arange(len(files)), labels))


def _sidecar(text: Path) -> str:
    try:
        return text.read_text(encoding="utf-8").strip() if text.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{text} cannot be read as UTF-8 text ({error}).") from error


def _parts(groups: NDArray[np.integer], member: NDArray[np.bool_]) -> NDArray[np.str_]:
    strata: Sequence[str] = ["member" if m else "non-member" for m in member]
    return deal(groups, strata, {CALIBRATION: 1, TEST: 2}, SPLIT_SEED)
