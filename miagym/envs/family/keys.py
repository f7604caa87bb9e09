"""Keys of verdicts about a family: which of its targets, and which candidates."""

from __future__ import annotations

from collections.abc import Sequence


def key_of(model: int, candidate: str) -> str:
    """Key of a candidate as it is judged under one target of a family, by its number."""
    return f"{model}:{candidate}"


def hand_key(keys: Sequence[str]) -> str:
    """Key of a hand, the same in whichever order its candidates were dealt."""
    return ",".join(sorted(keys))
