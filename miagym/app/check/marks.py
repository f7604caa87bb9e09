"""Marks of a check's pictures in the figure: those whose scores stand on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miagym.api.checking.result import Check


@dataclass(frozen=True)
class Marks:
    """What the figure shows of a check.

    Args:
        captioned: whether the scale is that of pictures with captions.
        scores: names and scores of those that are marked.
        elsewhere: how many have a score on the other scale.
    """

    captioned: bool
    scores: Sequence[tuple[str, float]]
    elsewhere: int

    @property
    def why_not_all(self) -> str | None:
        """Why pictures with a score are not marked; None if all are."""
        if not self.elsewhere:
            return None
        asked, other = ("with", "without") if self.captioned else ("without", "with")
        return (
            f"The figure marks the {len(self.scores)} that were asked about {asked} their "
            f"captions; {self.elsewhere} {other} stand on another scale, and only in the table."
        )


def marks_of(found: Check) -> Marks:
    """The pictures of the scale on which most of them stand; the set's own at a tie."""
    scores = {
        captioned: [
            (a.name, a.score)
            for a in found.answers
            if a.captioned == captioned and a.score is not None
        ]
        for captioned in (True, False)
    }
    own = (found.together or found.answers[0]).captioned
    captioned = own if len(scores[own]) >= len(scores[not own]) else not own
    return Marks(captioned, scores[captioned], len(scores[not captioned]))
