"""Rewordings of a caption: the same thing said three other ways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from miagym.oracle import AttackError

RULES = "rules"
"""The rewordings that need no language model."""

KINDS = ("token", "style", "semantic")
"""What changes: single words, the manner, or how the thing is said."""

LITTLE = frozenset(
    ["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"]
)
"""Words that may go without much being lost."""


def reworded(captions: Sequence[str], source: str = RULES) -> dict[str, list[str]]:
    """Each caption's rewordings, by kind.

    Args:
        captions: n texts.
        source: `RULES`, or a JSON file: an object from each caption to its three rewordings in the
            order of `KINDS`, as a language model may have written them beforehand.

    Raises:
        AttackError: if there is no such file, it is something else, or a caption is not in it.
    """
    if source == RULES:
        rows = [_by_rules(caption) for caption in captions]
    else:
        rows = _from_file(Path(source), captions)
    return {kind: [row[number] for row in rows] for number, kind in enumerate(KINDS)}


def _by_rules(caption: str) -> tuple[str, str, str]:
    """Little words left out; "a picture of" it; its phrases, or else its words, in turned order."""
    words = caption.split()
    telling = [word for word in words if word.lower() not in LITTLE] or words
    phrases = caption.split(", ")
    turned = ", ".join(reversed(phrases)) if len(phrases) > 1 else " ".join(reversed(words))
    return " ".join(telling), f"a picture of {caption}", turned


def _from_file(path: Path, captions: Sequence[str]) -> list[tuple[str, str, str]]:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AttackError(
            f'Expected rewordings "{RULES}", or a JSON file of them, got {str(path)!r} ({error}).'
        ) from error
    expected = f"{path}: expected an object from each caption to its three rewordings"
    if not isinstance(written, dict):
        raise AttackError(f"{expected}, got {type(written).__name__}.")
    if missing := [caption for caption in captions if caption not in written]:
        raise AttackError(
            f"{expected}; {len(missing)} of {len(captions)} captions are not in it, "
            f"{missing[0]!r} first."
        )
    rows = [written[caption] for caption in captions]
    if wrong := [c for c, row in zip(captions, rows, strict=True) if not _is_row(row)]:
        raise AttackError(f"{expected}, got something else for {wrong[0]!r}.")
    return [(row[0], row[1], row[2]) for row in rows]


def _is_row(row: object) -> bool:
    return isinstance(row, list) and len(row) == len(KINDS) and all(isinstance(t, str) for t in row)
