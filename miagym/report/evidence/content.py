"""Content of a page of evidence, whatever kind of check it is of."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from miagym.checking.provenance import PictureRecord, Provenance, bytes_of
from miagym.data.images import open_picture, quietly, to_square
from miagym.errors import DataError
from miagym.report.model import Table

SCHEMA = 1
THUMBNAIL = 96
"""Side of a picture on the page, in pixels."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is handed on.

    Args:
        answer: the answer in a sentence.
        parts: tables and sentences of the result.
        method: how the answer came about, in plain words.
        may: what may be claimed.
        may_not: what may not.
        provenance: what the check was made of.
        command: that gives the same answer again.
        result: the result's own JSON.
    """

    answer: str
    parts: Sequence[Table | str]
    method: Sequence[str]
    may: Sequence[str]
    may_not: Sequence[str]
    provenance: Provenance
    command: str
    result: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "answer": self.answer,
            "method": list(self.method),
            "may_be_claimed": list(self.may),
            "may_not_be_claimed": list(self.may_not),
            "command": self.command,
            **self.provenance.as_json(),
            "result": self.result,
        }


@dataclass(frozen=True)
class Exhibit:
    """A picture as the page shows it."""

    record: PictureRecord
    thumbnail: str
    """A data URI."""


def exhibits(provenance: Provenance) -> list[Exhibit]:
    """The pictures with their thumbnails.

    Raises:
        DataError: if a file is gone, or another one than was checked.
    """
    return [Exhibit(record, _thumbnail(record)) for record in provenance.pictures]


def _thumbnail(record: PictureRecord) -> str:
    try:
        data = bytes_of(record.given)
    except OSError as error:
        raise DataError(f"{record.name} can no longer be read; check again with it.") from error
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise DataError(f"{record.name} has changed since it was checked; check again.")
    with quietly(), open_picture(data) as picture:
        small = Image.fromarray(to_square(picture, THUMBNAIL))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
