"""Lists of pictures at a false discovery rate: made, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from miagym.checking.answer import Answer
from miagym.metrics.sets.discoveries import Discoveries, discoveries
from miagym.results.formats import percent

SHOWN = 20
"""Pictures that a sentence names at most; JSON has them all."""


@dataclass(frozen=True)
class Listed:
    """Pictures at a false discovery rate.

    Args:
        names: of all pictures that have a p-value.
        found: rows of these that are listed.
    """

    names: tuple[str, ...]
    found: Discoveries

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the listed ones, in order."""
        return tuple(self.names[row] for row in self.found.listed)

    @property
    def q_values(self) -> dict[str, float]:
        """By name, the lowest rate at which a picture is listed."""
        return dict(zip(self.names, self.found.q_values, strict=True))

    def as_json(self) -> dict[str, Any]:
        return {
            "fdr": self.found.fdr,
            "pictures": list(self.pictures),
            "q_values": self.q_values,
            "nonmembers_missing": self.found.missing,
        }

    def sentences(self) -> Iterator[str]:
        """The list, or why it is empty."""
        rate = percent(self.found.fdr)
        if self.pictures:
            names = ", ".join(self.pictures[:SHOWN])
            more = len(self.pictures) - SHOWN
            yield (
                f"Listed at a false discovery rate of {rate} (Benjamini-Hochberg): "
                f"{len(self.pictures)} of {len(self.names)} pictures, of which on average at most "
                f"{rate} were not used: {names}{f', and {more:,} more' if more > 0 else ''}."
            )
            return
        more = self.found.missing
        missing = f"; a list of a single one takes {more:,} more non-members" if more else ""
        yield f"No picture is listed at a false discovery rate of {rate}{missing}."


def listed(p_values: Sequence[tuple[str, float]], nonmembers: int, fdr: float) -> Listed:
    """The list among named p-values against so many non-members."""
    names = tuple(name for name, _ in p_values)
    return Listed(names, discoveries(np.array([p for _, p in p_values]), nonmembers, fdr))


def listed_answers(answers: Sequence[Answer], fdr: float) -> Listed:
    """The list among answers by known members; those not comparable have no p-value."""
    compared = [(answer.name, answer.p_value) for answer in answers if answer.p_value is not None]
    return listed(compared, answers[0].sizes.ranking_nonmembers, fdr)
