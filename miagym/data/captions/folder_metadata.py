"""Captions in a table beside pictures: metadata.jsonl, .csv or .parquet, or kohya's meta_*.json.

The former are Hugging Face's imagefolder: each row has a `file_name`, counted from the table's
folder.
"""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from miagym.data.captions.kohya import NAMES, KohyaMetadata
from miagym.data.captions.sidecars import Caption, caption_text
from miagym.data.columns import caption_column
from miagym.data.text_marks import decoded
from miagym.errors import DataError

TABLES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
FILE_NAME = "file_name"


@dataclass
class FolderMetadata:
    """Captions of the tables in one folder, by the pictures' paths."""

    captions: dict[str, list[Caption]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What was odd about them, in sentences."""
    kohya: list[KohyaMetadata] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> FolderMetadata:
        """Reads the tables of a folder; there may be none.

        Raises:
            DataError: if one is broken, or none of the pictures that it names is there.
        """
        found = cls()
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return found
        for name in names:
            if name.lower() in TABLES:
                found._add(folder / name)
            elif NAMES.fullmatch(name) and _is_no_sidecar(name, names):
                kohya = KohyaMetadata.of(folder / name)
                found.kohya += [] if kohya is None else [kohya]
        return found

    def of_picture(self, picture: Path) -> list[Caption]:
        named = [caption for one in self.kohya for caption in one.of_picture(picture)]
        return [*self.captions.get(path_key(picture), []), *named]

    def all_notes(self) -> list[str]:
        """What was odd, once all pictures were looked for."""
        return [*self.notes, *(note for one in self.kohya for note in one.notes)]

    def _add(self, table: Path) -> None:
        rows = _rows(table)
        columns = dict.fromkeys(name for _, row in rows for name in row)
        shown = ", ".join(columns) or "none"
        if rows and FILE_NAME not in columns:
            self.notes.append(
                f"{table} has no column {FILE_NAME} (found {shown}), so it is not taken for "
                "captions."
            )
            return
        if rows and caption_column(columns) is None:
            self.notes.append(
                f"{table} has no column `caption` or `text` (found {shown}); rename the one with "
                "the captions, if there is one."
            )
        missing: list[str] = []
        for where, row in rows:
            picture = _path(table, where, row)
            if not picture.exists():
                missing.append(str(row[FILE_NAME]))
            column = caption_column(row)
            text = "" if column is None else caption_text(row[column], f"{where}: `{column}`")
            if text:
                caption = Caption(text, table.name.lower(), str(table))
                self.captions.setdefault(path_key(picture), []).append(caption)
        self._check_missing(table, missing, len(rows))

    def _check_missing(self, table: Path, missing: list[str], rows: int) -> None:
        if not missing:
            return
        if len(missing) == rows:
            raise DataError(
                f"{table} names {rows:,} pictures, none of which is there (the first is "
                f"{missing[0]!r}); {FILE_NAME} counts from the folder of the table."
            )
        self.notes.append(
            f"{table} names {len(missing):,} pictures that are not there, such as {missing[0]!r}."
        )


def _is_no_sidecar(name: str, names: list[str]) -> bool:
    """Whether meta_x.json lies beside no picture meta_x, whose record it would be."""
    stem = name.rpartition(".")[0]
    return not any(other.startswith(f"{stem}.") for other in names if other != name)


def path_key(picture: Path) -> str:
    """The same for all spellings of a path that mean one file."""
    return unicodedata.normalize("NFC", os.path.normpath(picture))


def _path(table: Path, where: str, row: Mapping[str, Any]) -> Path:
    name = row.get(FILE_NAME)
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(f"{where} has no {FILE_NAME}; expected the name of a picture.")
    given = table.parent / name
    return given if "\\" not in name or given.exists() else table.parent / name.replace("\\", "/")


def _rows(table: Path) -> list[tuple[str, dict[str, Any]]]:
    """Rows, each with where it stands."""
    try:
        if table.suffix.lower() == ".parquet":
            rows = pq.read_table(table).to_pylist()
            return [(f"{table}: row {number}", row) for number, row in enumerate(rows)]
        text = decoded(table.read_bytes())
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise DataError(f"{table} cannot be read: {error}.") from error
    return list(_lines(table, text) if table.suffix.lower() == ".jsonl" else _records(table, text))


def _lines(table: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{table}: line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where} is no JSON ({error}); mend or remove it.") from error
        if not isinstance(row, dict):
            raise DataError(f"{where} is no JSON record with a {FILE_NAME}; mend or remove it.")
        yield where, row


def _records(table: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        for row in reader:
            if row and len(row) != len(names):
                raise DataError(
                    f"{table}: line {reader.line_num} has {len(row)} fields, the heading "
                    f"{len(names)}; mend that line, with quotes around texts that hold commas."
                )
            if row:
                yield f"{table}: line {reader.line_num}", dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise DataError(f"{table}: line {reader.line_num} is broken: {error}.") from error
