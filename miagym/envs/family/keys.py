"""Keys of verdicts about a family: which of its targets, and which candidates."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.errors import DataError


def key_of(model: int, candidate: str) -> str:
    """Key of a candidate as it is judged under one target of a family, by its number."""
    return f"{model}:{candidate}"


def hand_key(keys: Sequence[str]) -> str:
    """Key of a hand, the same in whichever order its candidates were dealt."""
    return ",".join(sorted(keys))


def model_and_candidates(key: str) -> tuple[int, tuple[str, ...]]:
    """Number of the target, and the candidates, that a key is about.

    Raises:
        DataError: if it is no such key.
    """
    parts = [one.partition(":") for one in key.split(",")]
    models = {model for model, _, _ in parts}
    candidates = tuple(candidate for _, _, candidate in parts)
    (model, *others) = models
    if others or not (model.isascii() and model.isdigit()) or not all(candidates):
        raise DataError(
            f"{key!r} names no target of a family and its candidates; grade verdicts as they were "
            "stored."
        )
    return int(model), candidates
