"""File of a table of answers: parquet, one row for each candidate and question."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miagym.atomic import replacing
from miagym.envs.answers.record import TableRecord
from miagym.envs.answers.table import AnswerTable
from miagym.envs.menu import menu
from miagym.errors import DataError, SettingsError
from miagym.oracle.access import Access
from miagym.targets.sizes import TOKENS

FORMAT = "miagym answers 1"
OWN = 3
"""Statistics of a single answer; the fourth is of a mean."""
COLUMNS = ("candidate", "question", "tokens", "own", "means", "pictures")


def answers_bought(record: TableRecord) -> int:
    """Answers that the budget of a table buys of its cheapest question."""
    level = Access[record.access.upper()]
    asked = menu(record.questions, level, record.steps, record.guidance_scale)
    return record.budget // min(question.price for question in asked)


def table_of(given: object) -> AnswerTable:
    """A table, or that of a file.

    Raises:
        DataError: if the file holds none.
        SettingsError: if it is neither.
    """
    if isinstance(given, AnswerTable):
        return given
    if not isinstance(given, str | Path):
        raise SettingsError(f"Expected a table of answers or its file, got {given!r}.")
    return read_table(Path(given))


def write_table(table: AnswerTable, path: Path) -> None:
    """Writes a parquet file, whole or not at all."""
    n, k = table.own.shape[:2]
    draws, pictures = table.record.draws, table.pictures
    each = None
    if pictures is not None:
        each = [list(row[q * draws : (q + 1) * draws]) for row in pictures for q in range(k)]
    columns = pa.table(
        {
            "candidate": [key for key in table.keys for _ in range(k)],
            "question": list(table.record.questions) * n,
            "tokens": _lists(np.repeat(table.tokens, k, axis=0)),
            "own": _lists(table.own.reshape(n * k, -1)),
            "means": _lists(table.means.reshape(n * k, -1)),
            "pictures": pa.array(each or [None] * (n * k), pa.list_(pa.binary())),
        }
    )
    about = {"format": FORMAT, "about": json.dumps(asdict(table.record))}
    with replacing(path) as partial:
        pq.write_table(columns.replace_schema_metadata(about), partial, compression="zstd")


def read_table(path: Path) -> AnswerTable:
    """Reads what `write_table` wrote.

    Raises:
        DataError: if it is something else, or not whole.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read as a table of answers ({error}).") from error
    metadata = table.schema.metadata or {}
    if metadata.get(b"format") != FORMAT.encode():
        raise DataError(
            f"{path} holds no table of answers; expected a file that `miagym tabulate` wrote."
        )
    try:
        record = TableRecord.of(json.loads(metadata.get(b"about", b"null")))
        longest = answers_bought(record)
        columns = {name: table[name].combine_chunks() for name in COLUMNS}
        k, draws = len(record.questions), record.draws
        n, models = table.num_rows // k, 1 if record.reference is None else 2
        keys = tuple(columns["candidate"].to_pylist()[::k])
        shapes = {
            "tokens": (n, k, TOKENS),
            "own": (n, k, draws, models, OWN),
            "means": (n, k, draws, longest, models),
        }
        arrays = {name: _array(columns[name]).reshape(shape) for name, shape in shapes.items()}
        pictures = _pictures(columns["pictures"], k, draws) if record.pictures else None
        order = [key for key in keys for _ in range(k)], list(record.questions) * n
        told = columns["candidate"].to_pylist(), columns["question"].to_pylist()
    except (ValueError, TypeError, KeyError, AttributeError, pa.ArrowException) as error:
        raise DataError(f"{path} holds no whole table of answers ({error}).") from error
    except DataError as error:
        raise DataError(f"{path} holds no whole table of answers. {error}") from error
    whole = all(np.isfinite(arrays[name]).all() for name in ("own", "means"))
    if not whole or order != told or len(set(keys)) < n or n == 0:
        raise DataError(
            f"{path} holds no whole table of answers: a candidate or a number is missing, or there "
            "twice; make it anew with `miagym tabulate`."
        )
    return AnswerTable(
        record, str(path), keys, arrays["tokens"][:, 0].astype(np.int32),
        arrays["own"].astype(np.float32), arrays["means"].astype(np.float32), pictures,
    )  # fmt: skip


def _lists(rows: NDArray[Any]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(rows).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])


def _array(column: Any) -> NDArray[Any]:
    return column.flatten().to_numpy(zero_copy_only=False)


def _pictures(column: Any, k: int, draws: int) -> tuple[tuple[bytes, ...], ...]:
    rows = column.to_pylist()
    if any(row is None or len(row) != draws for row in rows):
        raise ValueError("pictures are missing")
    return tuple(
        tuple(one for row in rows[at : at + k] for one in row) for at in range(0, len(rows), k)
    )
