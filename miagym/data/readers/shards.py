"""Webdataset's archives: NAME.tar with key.jpg, key.txt, key.json and key.cls, read where they lie.

Nothing is unpacked. A sample is what has one key: the path in the archive up to the first dot of
the file's name, as img2dataset and webdataset write it.
"""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from miagym.data.captions.sidecars import MAX_BYTES, SUFFIXES, Caption, caption_of_file, one_caption
from miagym.data.labels import label_of
from miagym.data.pictures import LazyPictures, Picture
from miagym.data.readers.walk import ANY, HIDDEN, PICTURES, is_hidden
from miagym.errors import DataError

SHARD = ".tar"
PACKED = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst")
"""Compressed archives, in which no picture can be read where it lies."""
LABEL = ".cls"


@dataclass(frozen=True)
class ArchivePlace:
    """Where a picture lies in an archive."""

    shard: Path
    name: str
    offset: int
    size: int


@dataclass
class Shard:
    """What an archive holds: one row for each sample with a picture."""

    places: list[ArchivePlace] = field(default_factory=list)
    captions: list[Caption | None] = field(default_factory=list)
    labels: list[bool | None] = field(default_factory=list)
    """By the sample's .cls, where it has one."""
    skipped: Counter[str] = field(default_factory=Counter)


class ShardPictures(LazyPictures):
    """Pictures in archives and files, read where they lie."""

    def __init__(self, places: Sequence[ArchivePlace | Path]) -> None:
        self._places = list(places)

    def __len__(self) -> int:
        return len(self._places)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> list[Picture]:
        return [self._read(self._places[int(row)]) for row in rows]

    def _read(self, place: ArchivePlace | Path) -> Picture:
        if isinstance(place, Path):
            return place
        try:
            with place.shard.open("rb") as file:
                file.seek(place.offset)
                return file.read(place.size)
        except OSError as error:
            raise DataError(f"{place.shard} can no longer be read ({error}).") from error


def shards_in(folder: Path) -> list[Path]:
    """The archives of a folder, in order.

    Raises:
        DataError: if one is compressed.
    """
    files = sorted(f for f in folder.iterdir() if not is_hidden(f.name)) if folder.is_dir() else []
    for file in files:
        if file.name.lower().endswith(PACKED):
            raise DataError(
                f"{file} is compressed, so no picture can be read where it lies; expected {SHARD}: "
                "unpack the compression alone."
            )
    return [file for file in files if file.suffix.lower() == SHARD and file.is_file()]


def read_shard(path: Path) -> Shard:
    """Reads what an archive holds, without its pictures' bytes.

    Raises:
        DataError: if it is broken, a path in it leads out of it, or a sample's captions differ.
    """
    samples: dict[str, dict[str, tarfile.TarInfo]] = {}
    shard = Shard()
    try:
        with tarfile.open(path, "r:") as archive:
            for entry in archive:
                _check_path(path, entry.name)
                if entry.isdir():
                    continue
                _sort(entry, samples, shard.skipped)
            for key, files in samples.items():
                _add(path, archive, key, files, shard)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read as a tar archive ({error}).") from error
    return shard


def _check_path(shard: Path, name: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts:
        raise DataError(
            f"{shard} holds the path {name[:80]!r}, which leads out of it; expected paths inside, "
            "so make the archive anew."
        )


def _sort(
    entry: tarfile.TarInfo, samples: dict[str, dict[str, tarfile.TarInfo]], skipped: Counter[str]
) -> None:
    """Puts a file to its sample, or counts it where it is named like a picture and none."""
    path = PurePosixPath(entry.name)
    stem, dot, rest = path.name.partition(".")
    suffix = f".{rest.rpartition('.')[2].lower()}" if dot else ""
    if any(is_hidden(part) for part in path.parts if part != "."):
        skipped[HIDDEN] += suffix in ANY
    elif not entry.isfile() or entry.issparse():
        skipped["link in an archive"] += suffix in ANY
    elif suffix in ANY and suffix not in PICTURES:
        skipped[f"{suffix} is not read"] += 1
    else:
        files = samples.setdefault(str(path.with_name(stem)), {})
        name = f".{rest.lower()}"
        if name in files:
            raise DataError(f"{entry.name} stands twice in its archive; keep one of them.")
        files[name] = entry


def _add(
    path: Path,
    archive: tarfile.TarFile,
    key: str,
    files: Mapping[str, tarfile.TarInfo],
    shard: Shard,
) -> None:
    pictures = sorted((n for n in files if f".{n.rpartition('.')[2]}" in PICTURES), key=len)
    if not pictures:
        return
    if len(pictures) > 1:
        shard.skipped["further picture of a sample"] += len(pictures) - 1
    picture = files[pictures[0]]
    where = f"{path.name}/{picture.name}"
    found = one_caption(_captions(path, archive, files), where)
    shard.captions.append(found)
    shard.labels.append(_label(path, archive, key, files))
    shard.places.append(ArchivePlace(path, where, picture.offset_data, picture.size))


def _captions(
    path: Path, archive: tarfile.TarFile, files: Mapping[str, tarfile.TarInfo]
) -> Iterator[Caption]:
    for suffix in SUFFIXES:
        if suffix in files:
            where = f"{path}: {files[suffix].name}"
            text = caption_of_file(_bytes(archive, files[suffix], where), suffix, where)
            if text:
                yield Caption(text, f"key{suffix}", where)


def _label(
    path: Path, archive: tarfile.TarFile, key: str, files: Mapping[str, tarfile.TarInfo]
) -> bool | None:
    if LABEL not in files:
        return None
    where = f"{path}: {key}{LABEL}"
    text = _bytes(archive, files[LABEL], where).decode("utf-8", "replace").strip()
    label = label_of(text)
    if label is None:
        raise DataError(f"{where} holds {text[:40]!r}; expected 1 for a member or 0 for none.")
    return label


def _bytes(archive: tarfile.TarFile, entry: tarfile.TarInfo, where: str) -> bytes:
    if entry.size > MAX_BYTES:
        raise DataError(f"{where} has {entry.size / 1e6:.0f} MB; expected a caption or a label.")
    opened = archive.extractfile(entry)
    assert opened is not None  # of an ordinary file
    return opened.read()
