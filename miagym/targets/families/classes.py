"""Captions of models that know classes: a number, or a name that the model's index lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from miagym.errors import DataError


@dataclass(frozen=True)
class Classes:
    """Classes 0 .. n - 1; names are lower case."""

    name: str
    """Of the target, for errors."""
    count: int
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, name: str, count: int, numbers: Mapping[str, int]) -> Classes:
        """Classes with these names, in any case."""
        return cls(name, count, {word.strip().lower(): n for word, n in numbers.items()})

    def number(self, caption: str) -> int:
        """The class that a caption names.

        Raises:
            DataError: if it names none.
        """
        text = caption.strip().lower()
        number = int(text) if text.isascii() and text.isdigit() else self.numbers.get(text)
        if number is None or number >= self.count:
            names = ", or their names" if self.numbers else ""
            raise DataError(
                f"{self.name} knows classes, not texts: expected captions from 0 to "
                f"{self.count - 1}{names}, got {caption!r}."
            )
        return number
