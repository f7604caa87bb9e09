"""Writing a parquet file in small row groups, from which single pictures are read quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miagym.data.dataset import encoded
from miagym.data.output import writing
from miagym.data.pictures import Picture
from miagym.data.source import Source

METADATA = b"miagym.clean"
"""Where a file tells how it was cleaned, in JSON."""

GROUP_ROWS, GROUP_BYTES = 64, 8 * 2**20
"""A row group ends when it has so many rows or bytes of pictures."""


def write_clean(
    out: Path,
    source: Source,
    rows: NDArray[np.integer],
    columns: Mapping[str, NDArray[np.generic]],
    report: str,
    done: Callable[[], None] = lambda: None,
) -> None:
    """Writes some rows of a source with their pictures, one row group in memory at a time.

    Args:
        out: the file, there whole or not at all; it may be the source.
        source: with pictures.
        rows: which ones, rising (k,).
        columns: further columns (k,) that replace those of the same name.
        report: JSON for the metadata.
        done: called after each row.
    """
    table = source.table.take(pa.array(rows))
    for name, values in columns.items():
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table.append_column(name, pa.array(values.tolist()))
    schema = pa.schema([pa.field("image", pa.binary()), *table.schema], {METADATA: report.encode()})
    with (
        writing(out) as partial,
        pq.ParquetWriter(partial, schema, use_dictionary=False) as writer,
    ):
        first, data = 0, list[bytes]()
        for picture in _in_order(source.require_pictures(), rows):
            data.append(encoded(picture))
            done()
            last = first + len(data) == len(rows)
            if last or len(data) == GROUP_ROWS or sum(map(len, data)) >= GROUP_BYTES:
                group = table.slice(first, len(data))
                group = group.add_column(0, "image", pa.array(data, pa.binary()))
                writer.write_table(group.cast(schema))
                first, data = first + len(data), []


def _in_order(pictures: Sequence[Picture], rows: NDArray[np.integer]) -> Iterator[Picture]:
    """The pictures of some rising rows, from one walk through all."""
    wanted = set(rows.tolist())
    return (picture for row, picture in enumerate(pictures) if row in wanted)
