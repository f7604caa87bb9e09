"""How verdicts were come by: the model that was asked, and the rules of the game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from miagym import __version__
from miagym.errors import DataError

if TYPE_CHECKING:
    from miagym.envs.settings import Settings

TEXTS = ("target", "fingerprint", "reference_noise", "access", "version", "terms")


@dataclass(frozen=True)
class Played:
    """Target and rules of a game, without which no two grades can be compared."""

    target: str
    fingerprint: str
    """Of the target's weights, or of the deal of its family; "" where it has none, or was not
    loaded."""
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
    """Further rules in words: of a service its tariff, and how its pictures arrive."""

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


def played_by(settings: Settings) -> Played:
    """Target and rules of a game with these settings."""
    target, reference = settings.target, settings.reference
    return Played(
        target=settings.subject,
        fingerprint="" if isinstance(target, str) else target.fingerprint,
        reference=reference if isinstance(reference, str | None) else reference.name,
        reference_noise=settings.reference_noise,
        access=settings.access,
        questions=tuple(question.name for question in settings.menu),
        budget=int(settings.budget),
        candidates=int(settings.candidates),
        slots=int(settings.slots),
        steps=int(settings.steps),
        guidance_scale=float(settings.guidance_scale),
        price=float(settings.price),
        noise_seed=int(settings.noise_seed),
        version=__version__,
        terms="; ".join(settings.terms),
    )
