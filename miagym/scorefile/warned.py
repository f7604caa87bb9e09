"""A warning about scores."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Warned:
    """Something to look at before the numbers are believed."""

    kind: str
    """What docs/evaluate/score.md explains it under."""
    message: str
