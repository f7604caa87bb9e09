"""Registry of the exercises by number."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from miagym.errors import DataError
from miagym.exercises.task import Task

SCRIPTS = Path(__file__).parent / "scripts"
"""Where the exercises are, with their gaps; their solutions are not in the package."""


@dataclass(frozen=True)
class Exercise:
    """Exercise without its checks, which need torch."""

    number: int
    file: str
    title: str
    module: str
    """Where its tasks are, in `TASKS`."""


EXERCISES = {
    exercise.number: exercise
    for exercise in (
        Exercise(
            1, "1_loss_threshold.py", "The loss threshold, and paired noise", "loss_threshold"
        ),
        Exercise(2, "2_overfit_and_realistic.py", "Overfit against realistic", "overfit"),
        Exercise(3, "3_blind_baseline.py", "Cheat without the model", "blind_baseline"),
        Exercise(4, "4_spend_100_queries.py", "Spend 100 queries", "spend_queries"),
        Exercise(5, "5_one_picture.py", "One picture, one p-value", "one_picture"),
        Exercise(6, "6_play_a_host.py", "Play against a host", "play_host"),
    )
}


def exercise(number: int) -> Exercise:
    """Finds an exercise by its number.

    Raises:
        DataError: if there is none of this number.
    """
    if number not in EXERCISES:
        known = ", ".join(map(str, EXERCISES))
        raise DataError(f"There is no exercise {number}; there are {known}.")
    return EXERCISES[number]


def tasks_of(number: int) -> tuple[Task, ...]:
    """Tasks of an exercise, in the order of its file."""
    return import_module(f"miagym.exercises.checks.{exercise(number).module}").TASKS
