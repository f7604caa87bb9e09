"""How verdicts were come by: the model that was asked, and the rules of the game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from miagym.errors import DataError

TEXTS = ("target", "fingerprint", "reference_noise", "access", "version", "terms")


@dataclass(frozen=True)
class Played:
    """Target and rules of a game, without which no two grades can be compared."""

    target: str
    fingerprint: str
    """Of the target's weights; "" where it has none, or was not loaded."""
    reference: str | None
    reference_noise: str
    """Of its pictures: "own" or "shared"."""
    access: str
    questions: tuple[str, ...]
    """The menu, as in `Settings.questions`."""
    budget: int
    """UNet rows of an episode."""
    candidates: int
    """Of an episode, who share its budget."""
    slots: int
    steps: int
    """DDIM steps of a whole text to image."""
    guidance_scale: float
    price: float
    """What spending the whole budget takes off the return."""
    noise_seed: int
    version: str
    """Of miagym."""
    terms: str = ""
    """Of a service: tariff, and how its pictures arrive; "" where there is a menu."""

    def asdict(self) -> dict[str, Any]:
        """As it is written to a file."""
        return asdict(self)

    @classmethod
    def of(cls, told: object) -> Self:
        """Reads what `asdict` gave, after a way through a file.

        Raises:
            DataError: if something is missing, beside it, or of another kind.
        """
        kinds = {
            **dict.fromkeys(TEXTS, str),
            "reference": str | None,
            "questions": list | tuple,
            **dict.fromkeys(("budget", "candidates", "slots", "steps", "noise_seed"), int),
            **dict.fromkeys(("guidance_scale", "price"), float | int),
        }
        expected = [field.name for field in fields(cls)]
        if isinstance(told, Mapping):
            told = {"terms": "", **told}  # which files from before there were services do not say
        if not isinstance(told, Mapping) or set(told) != set(expected):
            raise DataError(f"Expected a record of the game with {', '.join(expected)}.")
        for name, kind in kinds.items():
            if not isinstance(told[name], kind):
                raise DataError(f"The record of the game holds {told[name]!r} as {name}.")
        return cls(**{**told, "questions": tuple(map(str, told["questions"]))})
