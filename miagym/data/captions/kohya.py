"""kohya's metadata: meta_cap.json and its kin, records by the names of pictures."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from miagym.data.captions.sidecars import Caption, caption_text
from miagym.data.columns import caption_column
from miagym.data.images import SUFFIXES
from miagym.data.text_marks import decoded
from miagym.errors import DataError

ENDINGS = frozenset(ending for all_ in SUFFIXES.values() for ending in all_)
ABSOLUTE = re.compile(r"/|\\|[A-Za-z]:")
NAMES = re.compile(r"meta_\w+\.json", re.IGNORECASE)


@dataclass
class KohyaMetadata:
    """Captions of one file by the pictures' names, without their endings, or by their paths."""

    file: Path
    by_name: dict[str, list[tuple[str, Caption | None]]] = field(default_factory=dict)
    """By the last part of a key, without its ending: keys, and what they say."""
    without_caption: int = 0
    used: dict[str, Path] = field(default_factory=dict)
    """By key, the picture it was taken for."""

    @classmethod
    def of(cls, file: Path) -> KohyaMetadata | None:
        """Reads a file; None if it holds no records by names, as other files called so may.

        Raises:
            DataError: if it is no JSON, or a caption is no text.
        """
        try:
            content = json.loads(decoded(file.read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{file} is no JSON ({error}); mend it, or take it away.") from error
        if not isinstance(content, dict) or not content:
            return None
        if not all(isinstance(record, dict) for record in content.values()):
            return None
        found = cls(file)
        for key, record in content.items():
            found._add(key, record)
        return found

    def of_picture(self, picture: Path) -> list[Caption]:
        """What its keys say: its name, or its path, be it that of another machine.

        Raises:
            DataError: if a key stands for several pictures.
        """
        entries = self.by_name.get(_bare(picture.name).name, [])
        ours = _bare(str(picture.absolute())).parts
        exact = [e for e in entries if ours[-len(_bare(e[0]).parts) :] == _bare(e[0]).parts]
        chosen = exact or [e for e in entries if ABSOLUTE.match(e[0])]
        for key, _ in chosen:
            first = self.used.setdefault(key, picture)
            if first != picture:
                raise DataError(
                    f"{self.file}: {key!r} stands for {first} and for {picture}; expected one "
                    "picture, so put a file of its own into each folder."
                )
        return [caption for _, caption in chosen if caption is not None]

    @property
    def notes(self) -> list[str]:
        """What is odd about it, in sentences, once all pictures were looked for."""
        keys = {key for entries in self.by_name.values() for key, _ in entries}
        notes = []
        if self.without_caption:
            notes.append(
                f"{self.file} has {self.without_caption:,} records with neither `caption` nor "
                "`text`; tags alone are no captions."
            )
        if missing := sorted(keys - self.used.keys()):
            notes.append(
                f"{self.file} names {len(missing):,} pictures that are not there, such as "
                f"{missing[0]!r}."
            )
        return notes

    def _add(self, key: str, record: dict[str, Any]) -> None:
        column = caption_column(record)
        text = "" if column is None else caption_text(record[column], f"{self.file}: {key!r}")
        self.without_caption += column is None
        caption = Caption(text, "meta_*.json", str(self.file)) if text else None
        self.by_name.setdefault(_bare(key).name, []).append((key, caption))


def _bare(key: str) -> PurePosixPath:
    """A key as a path, without the ending of a picture's name if it has one."""
    path = PurePosixPath(key.replace("\\", "/"))
    return path.with_suffix("") if path.suffix.lower() in ENDINGS else path
