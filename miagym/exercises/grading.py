"""Grading of a student's file, run in a process of its own."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from miagym.errors import DataError
from miagym.exercises.printable import printable
from miagym.exercises.process import run_limited
from miagym.exercises.registry import EXERCISES, Exercise, exercise, tasks_of
from miagym.exercises.source import read_source

MAX_SECONDS = 300
"""Seconds that a file may take, checks included."""
DECLARED = re.compile(r"^# miagym exercise (\d{1,9})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class TaskResult:
    """Result of one task."""

    task: str
    about: str
    hint: str | None
    """None if it is solved."""
    reached: bool = True
    """Whether the file ran as far as its gap."""


@dataclass(frozen=True)
class ExerciseResult:
    """Result of one file."""

    exercise: Exercise
    findings: tuple[TaskResult, ...]
    """Of all tasks, in the order of the exercise, those that the file never came to included."""
    error: str | None
    """Why the file does not run to its end, in a sentence."""
    seconds: float
    skipped: str | None = None
    """What of a notebook only Jupyter understands and was left out, in a sentence."""

    @property
    def solved(self) -> int:
        return sum(finding.hint is None for finding in self.findings)

    @property
    def passed(self) -> bool:
        return self.error is None and self.solved == len(self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "exercise": self.exercise.number,
            "title": self.exercise.title,
            "passed": self.passed,
            "error": self.error,
            "skipped": self.skipped,
            "tasks": [
                {"task": f.task, "solved": f.hint is None, **asdict(f)} for f in self.findings
            ],
            "seconds": round(self.seconds, 1),
        }


def grade_file(file: Path, limit: float = MAX_SECONDS) -> ExerciseResult:
    """Runs a file with the rights of whoever asks, and grades each of its tasks.

    Args:
        file: an exercise, as far as it is solved.
        limit: seconds after which it is stopped.

    Raises:
        DataError: if it is missing, or no exercise.
    """
    which, began = identify(file), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        code, said = run_limited(_command(file.resolve(), which, report), file.parent, limit)
        found = _read(report)
    if code is None:
        error = (
            f"{file} was stopped after {limit:g} seconds; does a loop in it never end? An "
            "exercise takes less than two minutes."
        )
    elif found is None:
        error = f"{file} ended Python before it could be judged ({said or code})."
    else:
        error = found.error and f"{file} does not run: {found.error}"
    results = _unjudged(which) if code is None or found is None else found.tasks
    skipped = found and found.skipped
    return ExerciseResult(which, results, error, time.monotonic() - began, skipped)


def _command(file: Path, which: Exercise, report: Path) -> list[str]:
    """Command that runs and checks a file; `-P` keeps its neighbours from standing in for modules.

    A file `json.py` beside it, of another student say, would else be what miagym itself imports.
    """
    runner = [sys.executable, "-P", "-m", "miagym.exercises.runner"]
    return [*runner, str(file), str(which.number), str(report)]


@dataclass(frozen=True)
class _Report:
    """What the process found."""

    error: str | None
    skipped: str | None
    tasks: tuple[TaskResult, ...]


def _read(report: Path) -> _Report | None:
    """Reads what the process found; None if it left nothing that says so."""

    def shown(text: str | None) -> str | None:
        return None if text is None else printable(text)

    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        tasks = (TaskResult(**task | {"hint": shown(task["hint"])}) for task in found["tasks"])
        return _Report(shown(found["error"]), shown(found["skipped"]), tuple(tasks))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # a student's file can write there too


def _unjudged(which: Exercise) -> tuple[TaskResult, ...]:
    """All tasks of an exercise, as nothing is known of them."""
    hint = "not reached: there was an end before it could be judged."
    return tuple(TaskResult(t.name, t.about, hint, reached=False) for t in tasks_of(which.number))


def identify(file: Path) -> Exercise:
    """Identifies a file's exercise by its line `# miagym exercise 1`, else by a name like `1_….py`.

    Raises:
        DataError: if it cannot be read, or is none.
    """
    source = read_source(file)
    declared = DECLARED.search("\n".join(source.cells)) or re.match(r"(\d{1,9})_", file.name)
    if declared is None:
        raise DataError(
            f"{file} is no exercise: expected a line `# miagym exercise N` in its code, N from 1 "
            f"to {max(EXERCISES)}."
        )
    return exercise(int(declared[1]))
