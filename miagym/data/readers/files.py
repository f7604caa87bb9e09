"""Labelled pictures on disk: a parquet file, a CSV, or a folder with one for each side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from miagym.data.captions.beside import CaptionsBeside
from miagym.data.columns import CAPTIONS, ROLES, is_bulky
from miagym.data.pictures import ParquetPictures, as_picture
from miagym.data.readers.walk import walk
from miagym.data.seen import SIDES, Seen, by_side
from miagym.data.source import Source
from miagym.errors import DataError

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
    """Reads pictures in `members/` and `nonmembers/`, with their captions from beside them.

    Raises:
        DataError: if a side has no pictures, or a caption cannot be read.
    """
    files: list[Path] = []
    member: list[bool] = []
    skipped: dict[str, Mapping[str, int]] = {}
    for is_member, side in SIDES.items():
        found = walk(path / side)
        if not found.pictures:
            raise DataError(f"Expected pictures in {path / side}, found none{_but(found.skipped)}.")
        files += found.pictures
        member += [is_member] * len(found.pictures)
        skipped[side] = found.skipped
    beside = CaptionsBeside(path)
    captions = [beside.of(file) for file in files]
    places = [caption and caption.convention for caption in captions]
    seen = Seen(by_side(places, np.array(member, dtype=bool)), skipped, beside.notes)
    texts = [caption.text if caption else "" for caption in captions]
    table = pa.table({"caption": texts, "member": member})
    names = [file.relative_to(path).as_posix() for file in files]
    return Source.of(path.resolve().name, table, files, seen, names)


def _but(skipped: Mapping[str, int]) -> str:
    passed_over = ", ".join(f"{n:,} × {reason}" for reason, n in skipped.items())
    return f" that is read (passed over: {passed_over})" if passed_over else ""


def _parquet(path: Path) -> Source:
    try:
        schema = pq.read_schema(path)
        _named_once(path, schema.names)
        table = pq.read_table(path, columns=[field.name for field in schema if _is_read(field)])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error
    pictures = ParquetPictures(path) if "image" in schema.names else None
    names = None if pictures is None else pictures.names()
    return Source.of(path.stem, table, pictures, names=names)


def _is_read(field: pa.Field) -> bool:
    """Not pictures and embeddings, which stay where they are.

    A column with a role is read in any case, so that one that cannot be used is refused, not lost.
    """
    has_role = field.name in ROLES or field.name.lower() in CAPTIONS
    return field.name != "image" and (has_role or not is_bulky(field.type))


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
    pictures, files = None, None
    if "image" in names:
        files = table["image"].to_pylist()
        pictures = [as_picture(value, path.parent) for value in files]
        table = table.drop_columns(["image"])
    return Source.of(path.stem, table, pictures, names=files)


def _named_once(path: Path, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"{path} has several columns called {twice[0]!r}; rename all but one.")
