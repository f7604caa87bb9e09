"""Sandbox for uploaded tables: each is read in a process of its own, with little memory and time.

A file of 2 MB can unfold into gigabytes, and parsers have crashed on less. What dies here is a
small process, and the visitor reads a sentence.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

import miagym
from miagym.errors import DataError, MiagymError

MAX_BYTES = 2_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 100
MAX_TEXT = 4_000_000
"""Characters of all captions."""
MAX_CAPTION = 10_000
"""Characters of one."""

MEMORY = 1_000_000_000
"""Bytes of address space of the reading process; the libraries alone take half of it."""
SECONDS = 20

NAME = "The table"
KINDS = "Expected a CSV, TSV or parquet file with the columns caption and member"


def read_table(path: Path) -> pa.Table:
    """The columns `caption` (text), `member` (bool), and `group` if there is one.

    Args:
        path: a file that was uploaded; its content says what it is.

    Raises:
        DataError: if it is too large, or no such table; in one sentence, without the path.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            f"The table has {size / 1e6:.1f} MB, at most {MAX_BYTES // 1_000_000} MB can be looked "
            "at here; leave out other columns, or run `miagym audit` on your own machine."
        )
    root = str(Path(miagym.__file__).parents[1])
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": root}
    quiet["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve 1 GB before they begin
    command = [sys.executable, "-m", "miagym.app.server.sandboxed_table", str(path.resolve())]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=SECONDS, env=os.environ | quiet, cwd=root
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"The table takes longer than {SECONDS} s to read; send less.") from None
    if done.returncode == 2:
        raise DataError(done.stderr.decode("utf-8", "replace").strip().splitlines()[-1])
    if done.returncode:
        raise DataError(f"{NAME} is damaged, or unfolds into more than can be read here.")
    return pa.ipc.open_stream(done.stdout).read_all()


def check_size(captions: list[str]) -> None:
    """Whether texts are few and short enough.

    Raises:
        DataError: if not.
    """
    if len(captions) > MAX_ROWS:
        raise DataError(
            f"{NAME} has {len(captions):,} rows, at most {MAX_ROWS:,} can be read here."
        )
    lengths = [len(caption) for caption in captions]
    if max(lengths, default=0) > MAX_CAPTION:
        row = lengths.index(max(lengths))
        raise DataError(
            f"Row {row} has a caption of {lengths[row]:,} characters, expected at most "
            f"{MAX_CAPTION:,}."
        )
    if sum(lengths) > MAX_TEXT:
        raise DataError(
            f"The captions have {sum(lengths):,} characters together, expected at most "
            f"{MAX_TEXT:,}."
        )


def _read(path: Path) -> pa.Table:
    from miagym.data.source import Source

    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DataError(f"{NAME} is empty. {KINDS}.")
    table = _parquet(path) if start == b"PAR1" else _csv(path)
    if table.num_rows == 0:
        raise DataError(f"{NAME} has no rows.")
    read = Source.of(NAME, table, None)
    check_size(list(read.captions))
    return read.table


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        _check_shape(about.num_rows, list(schema.names))
        wanted = [name for name in _wanted(schema.names) if name in schema.names]
        for name in wanted:
            if pa.types.is_nested(schema.field(name).type):
                raise DataError(f"The column {name} holds lists or records. {KINDS}.")
        return file.read(wanted, use_threads=False)


def _csv(path: Path) -> pa.Table:
    import pyarrow.csv as pa_csv

    data = path.read_bytes()
    heading = data.split(b"\n", 1)[0]
    separator = "\t" if heading.count(b"\t") > heading.count(b",") else ","
    if heading.count(separator.encode()) >= MAX_COLUMNS:
        raise DataError(f"{KINDS}, and at most {MAX_COLUMNS} columns.")
    reading = pa_csv.ReadOptions(use_threads=False, block_size=MAX_BYTES + 1)
    parsing = pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    with pa_csv.open_csv(path, reading, parsing) as opened:
        names = opened.schema.names
    _check_shape(0, names)
    as_text = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(_wanted(names), pa.string()),
        include_columns=[name for name in _wanted(names) if name in names],
    )
    table = pa_csv.read_csv(path, reading, parsing, as_text)
    _check_shape(table.num_rows, names)
    return table


def _wanted(names: list[str]) -> tuple[str, str, str]:
    """The columns of captions, labels and groups; the last may be missing."""
    from miagym.data.columns import caption_column

    return caption_column(names) or "caption", "member", "group"


def _check_shape(rows: int, names: list[str]) -> None:
    if rows > MAX_ROWS:
        raise DataError(f"{NAME} has {rows:,} rows, at most {MAX_ROWS:,} can be read here.")
    if len(names) > MAX_COLUMNS:
        raise DataError(f"{NAME} has {len(names):,} columns, expected at most {MAX_COLUMNS}.")
    times = Counter(names)
    for name in _wanted(names)[:2]:
        if times[name] != 1:
            found = "none" if not times[name] else f"{times[name]}"
            raise DataError(f"{KINDS}; found {found} called {name}.")
    if times["group"] > 1:
        raise DataError(f"{NAME} has several columns called group; rename all but one.")


def _limit() -> None:
    """Gives this process little; where the system has no such limits, time is the only one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Reads a table, and writes what is wanted of it to standard output."""
    _limit()
    try:
        table = _read(Path(sys.argv[1]))
    except MiagymError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except pa.ArrowInvalid:
        print(f"{NAME} is damaged, or no text in UTF-8. {KINDS}.", file=sys.stderr)
        raise SystemExit(2) from None
    with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as writer:
        writer.write_table(table)


if __name__ == "__main__":
    main()
