"""Labelled pictures on disk: a parquet file, a CSV, or a folder with one for each side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from miagym.data.captions.beside import CaptionsBeside
from miagym.data.captions.sidecars import Caption
from miagym.data.columns import CAPTIONS, ROLES, is_bulky
from miagym.data.labels import MemberValue
from miagym.data.pictures import ParquetPictures, as_picture
from miagym.data.readers.shards import ArchivePlace, ShardPictures, read_shard, shards_in
from miagym.data.readers.walk import walk
from miagym.data.seen import SIDES, Seen, by_side
from miagym.data.source import Source
from miagym.errors import DataError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
MAX_CELL = 2**30
"""Bytes of a CSV that are parsed at a time; no row may be longer."""


def read_file(path: Path, member_value: MemberValue | None = None) -> Source:
    """Reads a CSV or TSV by its suffix, else a parquet file; `image` is optional at this point.

    Args:
        path: the file.
        member_value: the value of `member` that stands for members, where it does not say it.

    Raises:
        DataError: if it cannot be read, or lacks what `Source` needs.
    """
    read = _csv if path.suffix.lower() in SEPARATORS else _parquet
    return read(path, member_value)


def read_folder(path: Path) -> Source:
    """Reads pictures in `members/` and `nonmembers/`, with their captions from beside them.

    A side may hold webdataset's archives, too; a folder of archives alone says by .cls who is a
    member.

    Raises:
        DataError: if a side has no pictures, or a caption cannot be read.
    """
    if shards_in(path) and not any((path / side).is_dir() for side in SIDES.values()):
        return _labelled_shards(path)
    beside = CaptionsBeside(path)
    rows = _Rows()
    for is_member, side in SIDES.items():
        found, shards = walk(path / side), [read_shard(s) for s in shards_in(path / side)]
        skipped = Counter(found.skipped)
        for shard in shards:
            skipped.update(shard.skipped)
        if not found.pictures and not any(shard.places for shard in shards):
            raise DataError(f"Expected pictures in {path / side}, found none{_but(skipped)}.")
        for file in found.pictures:
            rows.add(file, file.relative_to(path).as_posix(), is_member, beside.of(file))
        for shard in shards:
            for place, caption in zip(shard.places, shard.captions, strict=True):
                rows.add(place, f"{side}/{place.name}", is_member, caption)
        rows.skipped[side] = dict(skipped.most_common())
    return rows.source(path.resolve().name, beside.notes)


def _labelled_shards(path: Path) -> Source:
    """Archives whose samples say themselves who is a member."""
    rows, skipped = _Rows(), Counter[str]()
    for shard in map(read_shard, shards_in(path)):
        skipped.update(shard.skipped)
        for place, caption, label in zip(shard.places, shard.captions, shard.labels, strict=True):
            if label is None:
                raise DataError(
                    f"{path / place.name} has no .cls beside it that says whether it is a member; "
                    "expected one for each, or the archives in members/ and nonmembers/."
                )
            rows.add(place, place.name, label, caption)
    for side in SIDES.values():  # nobody knows whose they were
        rows.skipped[side] = {f"{reason}, of either side": n for reason, n in skipped.items()}
    return rows.source(path.resolve().name, ())


@dataclass
class _Rows:
    """Rows of a folder as they are found."""

    pictures: list[ArchivePlace | Path] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    member: list[bool] = field(default_factory=list)
    captions: list[Caption | None] = field(default_factory=list)
    skipped: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def add(
        self, picture: ArchivePlace | Path, name: str, member: bool, caption: Caption | None
    ) -> None:
        self.pictures.append(picture)
        self.names.append(name)
        self.member.append(member)
        self.captions.append(caption)

    def source(self, name: str, notes: tuple[str, ...]) -> Source:
        places = [caption and caption.convention for caption in self.captions]
        seen = Seen(by_side(places, np.array(self.member, dtype=bool)), self.skipped, notes)
        texts = [caption.text if caption else "" for caption in self.captions]
        files = [picture for picture in self.pictures if isinstance(picture, Path)]
        all_files = len(files) == len(self.pictures)
        pictures = files if all_files else ShardPictures(self.pictures)
        table = pa.table({"caption": texts, "member": self.member})
        return Source.of(name, table, pictures, seen, self.names)


def _but(skipped: Mapping[str, int]) -> str:
    passed_over = ", ".join(f"{n:,} × {reason}" for reason, n in skipped.items())
    return f" that is read (passed over: {passed_over})" if passed_over else ""


def _parquet(path: Path, member_value: MemberValue | None) -> Source:
    try:
        schema = pq.read_schema(path)
        _named_once(path, schema.names)
        table = pq.read_table(path, columns=[field.name for field in schema if _is_read(field)])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error
    pictures = ParquetPictures(path) if "image" in schema.names else None
    names = None if pictures is None else pictures.names()
    return Source.of(path.stem, table, pictures, names=names, member_value=member_value)


def _is_read(field: pa.Field) -> bool:
    """Not pictures and embeddings, which stay where they are.

    A column with a role is read in any case, so that one that cannot be used is refused, not lost.
    """
    has_role = field.name in ROLES or field.name.lower() in CAPTIONS
    return field.name != "image" and (has_role or not is_bulky(field.type))


def _csv(path: Path, member_value: MemberValue | None) -> Source:
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
    return Source.of(path.stem, table, pictures, names=files, member_value=member_value)


def _named_once(path: Path, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"{path} has several columns called {twice[0]!r}; rename all but one.")
