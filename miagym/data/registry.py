"""Data by name: the embedded splits, files and folders, data sets of the hub."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from miagym.data import hub
from miagym.data.dataset import Dataset
from miagym.data.files import read_file, read_folder
from miagym.data.source import Source
from miagym.embedded import art
from miagym.errors import DataError, UnknownName

EMBEDDED = {
    "clipart": ("base-member", "base-nonmember"),
    "clipart-tune": ("tune-member", "tune-nonmember"),
}
"""Embedded splits, with the roles of members and non-members: `clipart` for `clipart-realistic`,
`clipart-tune` for `clipart-overfit`."""

OTHERS = "A parquet file, a CSV, a folder or hf:owner/name works as well."


def load_data(name: str) -> Dataset:
    """Loads data by embedded name, file, folder or hub id.

    A table (parquet, CSV, TSV) has columns `image` (encoded bytes, or a path), `member` (true or
    false), and if wanted `caption`, `group` (never cut by a split) and `part` ("calibration" or
    "test"). A folder has pictures in `members/` and `nonmembers/`, each with its caption in a
    `.txt` beside it if it has one, or was written by `datasets.save_to_disk`. For the hub see
    `hub.HubName`. Without `part`, a third of the groups calibrates and the rest tests.

    Raises:
        UnknownName: if there is no such name or file.
        DataError: if what is there cannot be used.
    """
    return open_source(name).dataset()


def open_source(name: str) -> Source:
    """Labelled rows by the same names, before they are dealt; they may lack pictures.

    Raises:
        UnknownName: if there is no such name or file.
        DataError: if what is there cannot be used.
    """
    if name in EMBEDDED:
        return _embedded(name)
    if name.startswith(hub.PREFIX):
        return hub.read_hub(hub.HubName.parse(name))
    path = Path(name)
    if path.is_dir():
        return hub.read_saved(path) if hub.is_saved(path) else read_folder(path)
    if path.is_file():
        return read_file(path)
    if path.suffix or "/" in name:
        known = " and ".join(EMBEDDED)
        raise DataError(f"There is no file or folder {name}; embedded data sets are {known}.")
    raise UnknownName("data set", name, EMBEDDED, OTHERS)


def _embedded(name: str) -> Source:
    role = np.array(art.table()["role"].to_pylist())
    member, nonmember = EMBEDDED[name]
    rows = np.flatnonzero((role == member) | (role == nonmember))
    table = art.table().take(rows)
    columns = {column: table[column] for column in ("caption", "artist", "group", "part")}
    columns["member"] = pa.array(role[rows] == member)
    return Source.of(name, pa.table(columns), table["image"].to_pylist())
