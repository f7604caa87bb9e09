"""All that came of a world's experiments, in memory: what the page is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from miagym.api.run import Run
from miagym.paper.classifiers import Classified
from miagym.paper.cost import Bill
from miagym.paper.randomisation import Repeated
from miagym.paper.stages import CHECKPOINTS, LARGE, TUNED, Places
from miagym.paper.worlds import PaperWorld
from miagym.results import AttackRow


@dataclass(frozen=True, eq=False)
class PaperOutcome:
    """Runs of all stages, and what was computed from their scores.

    Args:
        world: sizes and names.
        places: its targets and data.
        resolution: of the large model's pictures, in pixels.
        runs: by name of the stage.
        classified: the classifier attacks.
        repeated: the repetitions of the threshold attacks.
        bill: what it was said to cost beforehand.
        seed: of everything.
        command: what gives the same numbers again.
    """

    world: PaperWorld
    places: Places
    resolution: int
    runs: Mapping[str, Run]
    classified: tuple[Classified, ...]
    repeated: Repeated
    bill: Bill
    seed: int
    command: str

    @property
    def large(self) -> Run:
        """Of all settings on the large model."""
        return self.runs[LARGE]

    @property
    def tuned(self) -> Run | None:
        """Of the three attacks and the black box on the fine-tuned model."""
        return self.runs.get(TUNED)

    @property
    def checkpoints(self) -> Run | None:
        """Of the loss on all checkpoints."""
        return self.runs.get(CHECKPOINTS)

    @property
    def both(self) -> tuple[list[AttackRow], pa.Table]:
        """Rows and scores of both models, as the first figure takes them."""
        runs = [run for run in (self.large, self.tuned) if run is not None]
        rows = [row for run in runs for row in run.rows]
        return rows, pa.concat_tables([run.scores for run in runs])
