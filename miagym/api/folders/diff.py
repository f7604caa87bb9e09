"""`miagym.diff`: what differs between two runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.api.results import Result
from miagym.evaluation.folders.difference import (
    Differs,
    ScoresDiffer,
    made_differently,
    read_about,
    scores_differ,
)

if TYPE_CHECKING:
    from miagym.report.model import Table


@dataclass(frozen=True, eq=False, repr=False)
class RunDiff(Result):
    """What differs between two runs.

    Args:
        first: folder of the one.
        second: folder of the other.
        made: what made them and is not the same: code, target, data, settings, versions.
        scores: by attack, how far scores lie apart; empty where a run is not finished.
    """

    first: Path
    second: Path
    made: tuple[Differs, ...]
    scores: tuple[ScoresDiffer, ...]

    @property
    def compared(self) -> bool:
        """Whether scores were compared, which takes two finished runs."""
        return bool(self.scores)

    @property
    def differs(self) -> bool:
        """Whether anything is known to differ."""
        return bool(self.made) or not all(row.same for row in self.scores)

    @property
    def same(self) -> bool:
        """Whether scores were compared, and nothing differs."""
        return self.compared and not self.differs

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        apart = [row.attack for row in self.scores if not row.same]
        scored = f"{sum(row.both for row in self.scores):,} equal scores"
        if not self.compared:
            scored = "scores are compared once both runs are finished"
        elif apart:
            scored = f"scores differ for {', '.join(apart)}"
        made = ", ".join(one.what for one in self.made)
        told = f"They differ in {made}" if made else "Nothing that made them differs"
        return f"{told}; {scored}."

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.tables.difference import made_table, scores_table

        if self.made:
            yield made_table(self.made, str(self.first), str(self.second))
        if self.scores:
            yield scores_table(self.scores)
        yield self.sentence

    def as_json(self) -> dict[str, Any]:
        return {
            "same": self.same,
            "compared": self.compared,
            "runs": [str(self.first), str(self.second)],
            "made": [asdict(one) for one in self.made],
            "scores": [asdict(row) for row in self.scores],
        }


def diff(first: str | Path, second: str | Path) -> RunDiff:
    """Says what differs between two runs, finished or not.

    Args:
        first: a run folder.
        second: another.

    Raises:
        RunError: if one of them holds no run.
    """
    one, other = Path(first), Path(second)
    made = made_differently(read_about(one), read_about(other))
    return RunDiff(one, other, made, scores_differ(one, other))
