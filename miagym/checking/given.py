"""A picture to check, and where its caption may lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from miagym.data.captions.beside import CaptionsBeside


@dataclass(frozen=True)
class Given:
    """A picture, and where its caption may lie."""

    source: Path | bytes
    beside: CaptionsBeside | None = None

    def caption(self) -> str | None:
        """What lies beside it, None if nothing does.

        Raises:
            DataError: if two captions lie there that differ.
        """
        if self.beside is None or not isinstance(self.source, Path):
            return None
        found = self.beside.of(self.source)
        return found and found.text
