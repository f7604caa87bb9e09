"""Labelled pictures on disk: a parquet file, a CSV, or a folder with one for each side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from miagym.data.columns import ROLES, is_bulky
from miagym.data.pictures import ParquetPictures, as_picture
from miagym.data.source import Source
from miagym.errors import DataError

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
SEPARATORS = {".csv": ",", ".tsv": "\t"}
MAX_CELL = 2**30
"""Bytes of a CSV that are parsed at a time; no row may be longer."""


def read_file(path: Path) -> Source:
    """Reads a CSV or TSV by its suffix, else a parquet file; `image` is optional at this point.

    Raises:
        DataError: if it cannot be read, or lacks what `Source` needs.
    """
    return _csv(path) if path.suffix.lower() in SEPARATORS else _parquet(path)


def read_folder(path: Path) -> Source:
    """Reads pictures in `members/` and `nonmembers/`, each with its caption in a `.txt` beside it.

    Raises:
        DataError: if a side has no pictures, or a caption cannot be read.
    """
    files: list[Path] = []
    member: list[bool] = []
    for is_member, folder in ((True, path / "members"), (False, path / "nonmembers")):
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
        if not found:
            raise DataError(f"Expected pictures in {folder}, found none.")
        files += found
        member += [is_member] * len(found)
    captions = [_sidecar(file.with_suffix(".txt")) for file in files]
    table = pa.table({"caption": captions, "member": member})
    return Source.of(path.resolve().name, table, files)


def _parquet(path: Path) -> Source:
    try:
        schema = pq.read_schema(path)
        _named_once(path, schema.names)
        table = pq.read_table(path, columns=[field.name for field in schema if _is_read(field)])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error
    pictures = ParquetPictures(path) if "image" in schema.names else None
    return Source.of(path.stem, table, pictures)


def _is_read(field: pa.Field) -> bool:
    """Not pictures and embeddings, which stay where they are.

    A column with a role is read in any case, so that one that cannot be used is refused, not lost.
    """
    return field.name != "image" and (field.name in ROLES or not is_bulky(field.type))


def _csv(path: Path) -> Source:
    reading = pa_csv.ReadOptions(block_size=min(max(path.stat().st_size + 1, 2**20), MAX_CELL))
    parsing = pa_csv.ParseOptions(
        delimiter=SEPARATORS[path.suffix.lower()], newlines_in_values=True
    )
    try:
        with pa_csv.open_csv(path, reading, parsing) as opened:
            names = opened.schema.names
        _named_once(path, names)
        as_text = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = pa_csv.read_csv(path, reading, parsing, as_text)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as a table of text in UTF-8 with a heading: {error}"
        ) from error
    pictures = None
    if "image" in names:
        pictures = [as_picture(value, path.parent) for value in table["image"].to_pylist()]
        table = table.drop_columns(["image"])
    return Source.of(path.stem, table, pictures)


def _named_once(path: Path, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"{path} has several columns called {twice[0]!r}; rename all but one.")


def _sidecar(text: Path) -> str:
    try:
        return text.read_text(encoding="utf-8").strip() if text.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{text} cannot be read as UTF-8 text ({error}).") from error
