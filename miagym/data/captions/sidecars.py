"""Captions in files beside pictures: NAME.txt, NAME.caption, NAME.png.txt, NAME.json."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from miagym.data.columns import caption_column
from miagym.data.text_marks import decoded, visible
from miagym.errors import DataError

TEXTS = (".txt", ".caption")
"""Files that are a caption: miagym and most trainers, and kohya's default."""
RECORD = ".json"
"""A record with a caption in it, as img2dataset writes it."""
SUFFIXES = (*TEXTS, RECORD)
"""In any case."""
MAX_BYTES = 10_000_000
"""Of one file; no caption is as long."""


@dataclass(frozen=True)
class Caption:
    """A caption, and where it stands."""

    text: str
    convention: str
    """NAME.txt, metadata.csv, …"""
    file: str


class Sidecars:
    """Files of one folder by the pictures beside which they lie.

    Args:
        files: by their names in the folder.
        errors: "replace" lets no bytes that are no text stand in the way of an answer.
    """

    def __init__(self, files: Mapping[str, Path], errors: str = "strict") -> None:
        self.errors = errors
        self.without_caption = 0
        """Records that had none."""
        self._files: dict[tuple[str, str], list[Path]] = {}
        for name, path in sorted(files.items()):
            stem, suffix = _key(PurePath(name).stem), PurePath(name).suffix.lower()
            if suffix in SUFFIXES:
                self._files.setdefault((stem, suffix), []).append(path)

    @classmethod
    def of_folder(cls, folder: Path, errors: str = "strict") -> Sidecars:
        """Those of a folder; none if it cannot be opened."""
        try:
            return cls({path.name: path for path in folder.iterdir()}, errors)
        except OSError:
            return cls({}, errors)

    def beside(self, picture: str) -> Iterable[Caption]:
        """Captions of a picture, by its name in the folder; none is empty.

        Raises:
            DataError: if a file cannot be read.
        """
        for name, stem in (("NAME", PurePath(picture).stem), ("NAME.png", picture)):
            for suffix in SUFFIXES:
                for path in self._files.get((_key(stem), suffix), ()):
                    text = self._caption(path, suffix)
                    if text:
                        yield Caption(text, name + suffix, str(path))

    def _caption(self, path: Path, suffix: str) -> str:
        text = read_text(path, self.errors)
        return visible(text) if suffix in TEXTS else self._of_record(text, path)

    def _of_record(self, text: str, path: Path) -> str:
        try:
            found = record_caption(text, str(path))
        except DataError:
            if self.errors == "replace":
                return ""
            raise
        self.without_caption += found is None
        return found or ""


def caption_of_file(content: bytes, suffix: str, where: str) -> str:
    """The caption in a file with one of `SUFFIXES`, "" for none.

    Raises:
        DataError: if it is no text, or no JSON where it should be.
    """
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        raise DataError(f"{where} cannot be read as UTF-8 text ({error}).") from error
    return visible(text) if suffix in TEXTS else record_caption(text, where) or ""


def record_caption(text: str, where: str) -> str | None:
    """The caption in a JSON record; None if it has neither `caption` nor `text`.

    Raises:
        DataError: if it is no JSON, or the caption is no text.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where} is no JSON ({error}); mend it, or take it away from beside the picture."
        ) from error
    column = caption_column(record) if isinstance(record, dict) else None
    return None if column is None else caption_text(record[column], f"{where}: `{column}`")


def one_caption(captions: Iterable[Caption], picture: str) -> Caption | None:
    """The caption of a picture, wherever it stands.

    Raises:
        DataError: if there are several that differ.
    """
    found = list(captions)
    for other in found[1:]:
        if other.text != found[0].text:
            raise DataError(
                f"{picture} has two captions, {_short(found[0].text)} in {found[0].file} and "
                f"{_short(other.text)} in {other.file}; keep one of them."
            )
    return found[0] if found else None


def caption_text(value: object, where: str) -> str:
    """A caption from a record; none is an empty one.

    Raises:
        DataError: if it is no text.
    """
    if value is None or (isinstance(value, float) and value != value):  # pandas' missing value
        return ""
    if not isinstance(value, str):
        raise DataError(f"{where} must be one text, it is {_short(value)}.")
    return visible(value)


def read_text(path: Path, errors: str = "strict") -> str:
    """The text of a file, without its byte-order mark.

    Raises:
        DataError: if it cannot be read, or is none.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(
                f"{path} has {path.stat().st_size / 1e6:.0f} MB; expected a caption, at most "
                f"{MAX_BYTES / 1e6:.0f} MB."
            )
        return decoded(path.read_bytes(), errors)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error}).") from error


def _key(name: str) -> str:
    """One spelling: macOS decomposes letters in names, and archives carry that elsewhere."""
    return unicodedata.normalize("NFC", name)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
