"""Record of a table of answers: whom it asked, about whom, under which rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from miagym.errors import DataError

WHOLE = ("steps", "noise_seed", "draws", "budget", "size", "batch_size")
TEXTS = ("target", "fingerprint", "reference_fingerprint", "reference_noise", "data", "data_digest",
         "access", "defence", "version", "torch")  # fmt: skip


@dataclass(frozen=True)
class TableRecord:
    """What identifies a table of answers."""

    target: str
    fingerprint: str
    """Of the target's weights."""
    reference: str | None
    reference_fingerprint: str
    """Of the reference's; "" where there is none."""
    reference_noise: str
    data: str
    data_digest: str
    """Of pictures, captions, labels and parts."""
    access: str
    questions: tuple[str, ...]
    """The menu, as in `Settings.questions`."""
    splits: tuple[str, ...]
    """Whose candidates are in it: "train", "val", "test"."""
    steps: int
    guidance_scale: float
    defence: str
    noise_seed: int
    draws: int
    """Noises of a question about a candidate."""
    budget: int
    """The largest that it can be played under: it holds as many means as that buys answers."""
    size: int
    """Side of the pictures in pixels."""
    batch_size: int
    """Rows in one call of the target: answers of another size of batch differ in their last
    bits."""
    pictures: bool
    """Whether the pictures that answered are in it."""
    version: str
    """Of miagym."""
    torch: str
    """Version of torch."""

    @classmethod
    def of(cls, told: object) -> Self:
        """Reads what `asdict` gave, after a way through a file.

        Raises:
            DataError: if something is missing, beside it, or of another kind.
        """
        expected = [field.name for field in fields(cls)]
        if not isinstance(told, Mapping) or set(told) != set(expected):
            raise DataError(f"Expected a record of a table with {', '.join(expected)}.")
        kinds: dict[str, Any] = {
            **dict.fromkeys(TEXTS, str),
            **dict.fromkeys(WHOLE, int),
            **dict.fromkeys(("questions", "splits"), list | tuple),
            "reference": str | None,
            "guidance_scale": float | int,
            "pictures": bool,
        }
        for name, kind in kinds.items():
            if not isinstance(told[name], kind):
                raise DataError(f"The record of the table holds {told[name]!r} as {name}.")
        lists = {name: tuple(map(str, told[name])) for name in ("questions", "splits")}
        return cls(**{**told, **lists})
