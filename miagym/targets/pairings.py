"""What belongs to each embedded target: its data, its public base, and its null target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pairing:
    """What an embedded target is evaluated with."""

    data: str
    """The split whose members it was trained on."""
    reference: str | None
    """The public base that it was fine-tuned from."""
    null: str | None
    """A target that saw neither side of that split, or both alike."""


_PAIRINGS = {
    "clipart-realistic": Pairing("clipart", None, "clipart-null"),
    "clipart-overfit": Pairing("clipart-tune", "clipart-realistic", "clipart-null"),
    "clipart-null": Pairing("clipart", None, None),
}


def pairing(target: str) -> Pairing | None:
    """What belongs to a target, or to a checkpoint of it; None if it is not embedded."""
    return _PAIRINGS.get(target.partition("@")[0])
