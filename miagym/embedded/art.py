"""Reading the embedded art from the package."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from miagym.data.source import Source

SPLITS = {
    "clipart": ("clipart", "base-member", "base-nonmember"),
    "clipart-tune": ("clipart", "tune-member", "tune-nonmember"),
    "icons": ("icons", "base-member", "base-nonmember"),
    "icons-tune": ("icons", "tune-member", "tune-nonmember"),
}
"""Embedded data sets by name, with their art and the roles of their members and non-members."""


@cache
def table(art: str = "clipart") -> pa.Table:
    """Table of all drawings of "clipart" or "icons", a row each.

    `build.build` and `icon_build.build_icons` name the columns.
    """
    with files("miagym").joinpath(f"assets/{art}.parquet").open("rb") as file:
        return pq.read_table(file)


def pixels(rows: pa.Table) -> NDArray[np.uint8]:
    """Pixels (n, 64, 64, 3) of some rows of the table."""
    images = (Image.open(io.BytesIO(data)) for data in rows["image"].to_pylist())
    return np.stack([np.asarray(image) for image in images])


def source(name: str) -> Source:
    """Labelled rows of one of `SPLITS`."""
    art, member, nonmember = SPLITS[name]
    role = np.array(table(art)["role"].to_pylist())
    rows = np.flatnonzero((role == member) | (role == nonmember))
    part = np.array(table(art)["part"].to_pylist())
    return labelled(name, art, rows, role[rows] == member, part[rows])


def labelled(
    name: str,
    art: str,
    rows: NDArray[np.intp],
    member: NDArray[np.bool_],
    part: NDArray[np.str_],
) -> Source:
    """Some rows of a table as a data set.

    Args:
        name: of the data set.
        art: "clipart" or "icons".
        rows: of its table (n,).
        member: their labels (n,).
        part: theirs (n,), "calibration" or "test".
    """
    found = table(art).take(rows)
    columns = {column: found[column] for column in ("caption", "artist", "group")}
    columns |= {"part": pa.array(part), "member": pa.array(member)}
    return Source.of(
        name, pa.table(columns), found["image"].to_pylist(), names=found["source"].to_pylist()
    )
