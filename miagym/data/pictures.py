"""Lazy sequences of encoded pictures, which stay in their file until they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miagym.errors import DataError

Picture = bytes | Path
"""An encoded picture, or the file that holds one; b"" where there is none."""

BATCH = 64
"""Rows read at a time where a file is walked through."""

MAX_KEPT_BYTES = 64 * 2**20
"""Bytes of pictures: a row group below it is read whole and kept until the next one is read."""

MAX_NAME = 200
"""Characters of a file's name that a reason shows, from its end."""


class LazyPictures(Sequence[Picture]):
    """Sequence of pictures on disk, of which a few are in memory at a time."""

    @abstractmethod
    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> list[Picture]:
        """Pictures of some rows, in their order; from 0, none negative."""

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> list[Picture]: ...
    def __getitem__(self, index: int | slice) -> Picture | list[Picture]:
        rows = range(len(self))[index]
        return self.take(rows) if isinstance(rows, range) else self.take([rows])[0]

    def __iter__(self) -> Iterator[Picture]:
        for start in range(0, len(self), BATCH):
            yield from self[start : start + BATCH]


class ParquetPictures(LazyPictures):
    """Pictures in the column `image` of a parquet file.

    A small row group is read whole, of a large one only the batches up to the last row that is
    wanted; so random rows are quick where row groups are small, and memory does not grow with the
    file (a page, 1,024 pictures as pyarrow writes large row groups, is the least it can read).
    Threads may share it.

    Args:
        path: the file; its pictures are encoded bytes, paths relative to its folder, or structs of
            both as `datasets` writes them.
        column: the column of the pictures.

    Raises:
        DataError: if the file cannot be read, or the column holds something else.
    """

    def __init__(self, path: Path, column: str = "image") -> None:
        try:
            with pq.ParquetFile(path) as file:
                self._metadata, schema = file.metadata, file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path} cannot be read as parquet: {error}") from error
        kind = schema.field(column).type
        if not (_is_bytes(kind) or _is_text(kind) or pa.types.is_struct(kind)):
            raise DataError(f"{path}: `{column}` must be encoded bytes or a path, it is {kind}.")
        self.path, self.column, self._kind = path, column, kind
        groups = [self._metadata.row_group(i) for i in range(self._metadata.num_row_groups)]
        self._starts = np.cumsum([0, *(group.num_rows for group in groups)])
        self._bytes = [_column_bytes(group, column) for group in groups]
        self._kept: tuple[int, pa.ChunkedArray] | None = None

    def __len__(self) -> int:
        return self._metadata.num_rows

    def names(self) -> list[str | None] | None:
        """Paths of the pictures (n) as the file has them; None where it holds bytes alone."""
        if not has_paths(self._kind):
            return None
        leaf = f"{self.column}.path" if pa.types.is_struct(self._kind) else self.column
        try:
            with self._open() as file:
                return paths_of(file.read([leaf])[self.column])
        except (pa.ArrowException, OSError) as error:
            raise self._lost(error) from error

    def __iter__(self) -> Iterator[Picture]:
        for column in self._walk(list(range(len(self._bytes)))):
            yield from map(self._picture, column)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> list[Picture]:
        wanted = np.asarray(rows, dtype=np.int64)
        group_of = np.searchsorted(self._starts, wanted, side="right") - 1
        found: dict[int, Picture] = {}
        for group in np.unique(group_of):
            places = np.unique(wanted[group_of == group]) - self._starts[group]
            for place, picture in zip(places, self._of_group(int(group), places), strict=True):
                found[int(place + self._starts[group])] = picture
        return [found[int(row)] for row in wanted]

    def _of_group(self, group: int, places: NDArray[np.int64]) -> Iterator[Picture]:
        """Pictures at rising places of a row group."""
        if self._bytes[group] <= MAX_KEPT_BYTES:
            yield from (self._picture(value) for value in self._whole(group).take(pa.array(places)))
            return
        start = 0
        for column in self._walk([group]):
            here = places[(places >= start) & (places < start + len(column))] - start
            yield from (self._picture(column[int(place)]) for place in here)
            start += len(column)
            if start > places[-1]:
                return

    def _whole(self, group: int) -> pa.ChunkedArray:
        kept = self._kept  # looked at once, as another thread may replace it
        if kept is None or kept[0] != group:
            try:
                with self._open() as file:
                    kept = group, file.read_row_group(group, [self.column])[self.column]
            except (pa.ArrowException, OSError) as error:
                raise self._lost(error) from error
            self._kept = kept
        return kept[1]

    def _walk(self, groups: list[int]) -> Iterator[pa.Array]:
        try:
            with self._open() as file:
                for batch in file.iter_batches(BATCH, groups, [self.column], use_threads=False):
                    yield batch.column(0)
        except (pa.ArrowException, OSError) as error:
            raise self._lost(error) from error

    def _open(self) -> pq.ParquetFile:
        # Page by page: pre-buffering would hold all row groups that are walked through.
        return pq.ParquetFile(
            self.path, metadata=self._metadata, buffer_size=2**20, pre_buffer=False
        )

    def _lost(self, error: Exception) -> DataError:
        return DataError(f"{self.path} can no longer be read, has it changed? ({error})")

    def _picture(self, value: pa.Scalar) -> Picture:
        return as_picture(value.as_py(), self.path.parent)


def as_picture(value: object, folder: Path) -> Picture:
    """Reads a picture from a table's cell: bytes, a path from `folder`, or a dict of both."""
    if isinstance(value, dict):  # as `datasets` writes its Image feature
        value = value.get("bytes") or value.get("path")
    if isinstance(value, str) and value:
        return folder / value
    return value if isinstance(value, bytes) else b""


def has_paths(kind: pa.DataType) -> bool:
    """Whether a column of this type says where pictures are: a path, or a struct with one."""
    return _is_text(kind) or (pa.types.is_struct(kind) and kind.get_field_index("path") >= 0)


def paths_of(column: pa.ChunkedArray) -> list[str | None]:
    """Paths (n) in a column of texts, or of structs of bytes and a path."""
    is_struct = pa.types.is_struct(column.type)
    chunks = [chunk.field("path") if is_struct else chunk for chunk in column.chunks]
    paths = [path for chunk in chunks for path in chunk.to_pylist()]
    return [path if isinstance(path, str) and path else None for path in paths]


def reason(picture: Picture, error: Exception) -> str:
    """Reason why a picture cannot be read, with the name of its file if it has one."""
    if isinstance(picture, bytes):
        return str(error)
    name = str(picture)
    return f"{name if len(name) <= MAX_NAME else '…' + name[-MAX_NAME:]}: {error}"


def take(pictures: Sequence[Picture], rows: NDArray[np.integer]) -> list[Picture]:
    """Takes some of the pictures, lazy or not, in the order of `rows`."""
    if isinstance(pictures, LazyPictures):
        return pictures.take(rows)
    return [pictures[int(row)] for row in rows]


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _column_bytes(group: pq.RowGroupMetaData, column: str) -> int:
    leaves = [group.column(i) for i in range(group.num_columns)]
    return sum(
        leaf.total_uncompressed_size
        for leaf in leaves
        if leaf.path_in_schema.partition(".")[0] == column
    )
