"""Description of a data set: counts, sizes, formats and unreadable pictures per side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.images import open_picture, read_picture
from miagym.data.pictures import Picture, reason
from miagym.errors import DataError


@dataclass
class _Side:
    """What the headers of the pictures of one side say."""

    formats: Counter[str] = field(default_factory=Counter)
    short_sides: list[int] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def look(self, row: int, picture: Picture, check: bool) -> None:
        try:
            with open_picture(picture) as opened:
                kind, short = str(opened.format), min(opened.size)
            if check:
                read_picture(picture)
        except DataError as error:
            self.why[str(row)] = reason(picture, error)
            return
        self.formats[kind] += 1
        self.short_sides.append(short)

    def numbers(self) -> dict[str, Any]:
        return {
            "short_side": self._short_side(),
            "formats": dict(self.formats.most_common()),
            "unreadable": len(self.why),
            "why": self.why,
        }

    def _short_side(self) -> dict[str, int] | None:
        if not self.short_sides:
            return None
        quantiles = np.quantile(self.short_sides, (0, 0.5, 1)).round().astype(int).tolist()
        return dict(zip(("min", "median", "max"), quantiles, strict=True))


def describe(data: Dataset, *, check: bool = False) -> dict[str, Any]:
    """Describes a data set by counts per side and its digest.

    Args:
        data: what to look at.
        check: decode every picture; otherwise only its header is read.

    Returns:
        `name`, `digest`, `warnings` (sentences), and for `members` and `nonmembers`: rows by part,
        rows with a caption, where captions stood, pictures that were passed over by reason, short
        sides in pixels (None if no picture can be read), formats, how many pictures are
        unreadable, and why by row.

    Raises:
        DataError: if a picture that can be read stands there twice with the same caption.
    """
    sides = {True: _Side(), False: _Side()}
    for row, picture in enumerate(data.pictures):
        sides[bool(data.member[row])].look(row, picture, check)
    captioned = np.array([bool(caption.strip()) for caption in data.captions])
    found: dict[str, Any] = {
        "name": data.name,
        "digest": data.digest,
        "warnings": list(data.warnings),
    }
    for word, member in (("members", True), ("nonmembers", False)):
        here = data.member == member
        by_part = {part: int((here & (data.part == part)).sum()) for part in (CALIBRATION, TEST)}
        found[word] = {
            **by_part,
            "with_caption": int((here & captioned).sum()),
            "captions_from": dict(data.seen.captions_from.get(word, {})),
            "passed_over": dict(data.seen.skipped.get(word, {})),
            **sides[member].numbers(),
        }
    return found
