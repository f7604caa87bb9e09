"""What `competition.yaml` says, of version 2 of Codabench's bundles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from miagym.errors import HostError
from miagym.hosting.codabench.scoring import COLUMNS
from miagym.hosting.suite import PHASES, HostedTask

IMAGE = "codalab/codalab-legacy:py312"
"""Docker image with Python 3.12, numpy and scipy, in which submissions are scored."""
PAGES = {"Overview": "overview.md", "Data": "data.md", "Evaluation": "evaluation.md"}
TERMS, LOGO, KIT, PROGRAM = "terms.md", "logo.png", "starting_kit", "scoring_program"
TITLES = {"dev": "Development", "final": "Final"}


@dataclass(frozen=True)
class Dates:
    """When the phases of a competition are, in UTC.

    Raises:
        HostError: if they do not follow each other.
    """

    start: datetime
    """Of the phase `dev`."""
    final: datetime
    """End of `dev`, and start of `final`."""
    end: datetime | None = None
    """None if `final` stays open."""

    def __post_init__(self) -> None:
        if not self.start < self.final or (self.end is not None and self.end <= self.final):
            raise HostError(
                "Expected a start of dev before that of final, and an end of final after both, got "
                f"{self.start}, {self.final} and {self.end}."
            )


def public_data(phase: str) -> str:
    """Folder of what participants get in a phase."""
    return f"{phase}_public_data"


def reference_data(phase: str) -> str:
    """Folder of a phase's labels, which the scoring program alone reads."""
    return f"{phase}_reference_data"


def competition(task: HostedTask, dates: Dates, columns: tuple[str, ...]) -> dict[str, Any]:
    """The competition of a task.

    Only results are taken, so that nobody's code runs beside the labels, and what scoring says may
    be shown. Nothing migrates from one phase to the next, whose candidates are others.

    Args:
        task: which.
        dates: of its phases.
        columns: of the leaderboard, keys of `COLUMNS`.
    """
    ends = (dates.final, dates.end)
    return {
        "version": 2,
        "title": f"Which pictures were used? ({task.name})",
        "description": task.about,
        "image": LOGO,
        "terms": TERMS,
        "registration_auto_approve": False,
        "docker_image": IMAGE,
        "make_programs_available": True,
        "make_input_data_available": False,
        "enable_detailed_results": False,
        "can_participants_make_submissions_public": False,
        "pages": [{"title": title, "file": file} for title, file in PAGES.items()],
        "tasks": [
            {
                "index": index,
                "name": f"{task.name}, {phase}",
                "description": task.about,
                "scoring_program": PROGRAM,
                "reference_data": reference_data(phase),
            }
            for index, phase in enumerate(PHASES)
        ],
        "phases": [
            {
                "index": index,
                "name": TITLES[phase],
                "description": f"Candidates of `{phase}`, which no other phase has.",
                "start": str(begin),
                **({} if end is None else {"end": str(end)}),
                "max_submissions_per_day": task.in_phase(phase, task.submissions_a_day),
                "auto_migrate_to_this_phase": False,
                "accepts_only_result_submissions": True,
                "starting_kit": KIT,
                "public_data": public_data(phase),
                "tasks": [index],
            }
            for index, (phase, begin, end) in enumerate(
                zip(PHASES, (dates.start, dates.final), ends, strict=True)
            )
        ],
        "leaderboards": [
            {
                "title": "Results",
                "key": "main",
                "submission_rule": "Force_Last",
                "columns": [
                    {
                        "title": COLUMNS[key],
                        "key": key,
                        "index": index,
                        "sorting": "desc",
                        "precision": 3,
                    }
                    for index, key in enumerate(columns)
                ],
            }
        ],
    }
