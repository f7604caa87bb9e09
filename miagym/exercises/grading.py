"""Grading of a student's file, run in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.errors import DataError
from miagym.exercises.registry import EXERCISES, Exercise, exercise

MAX_SECONDS = 300
"""Seconds that a file may take, checks included."""
MAX_BYTES = 1_000_000
DECLARED = re.compile(r"^# miagym exercise (\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class TaskResult:
    """Result of one task."""

    task: str
    about: str
    hint: str | None
    """None if it is solved."""


@dataclass(frozen=True)
class ExerciseResult:
    """Result of one file."""

    exercise: Exercise
    findings: tuple[TaskResult, ...]
    error: str | None
    """Why the file does not run to its end, in a sentence; the findings are then of what did."""
    seconds: float

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
            "tasks": [
                {"task": f.task, "solved": f.hint is None, "about": f.about, "hint": f.hint}
                for f in self.findings
            ],
            "seconds": round(self.seconds, 1),
        }


def grade_file(file: Path, limit: float = MAX_SECONDS) -> ExerciseResult:
    """Runs a file with the rights of whoever asks, and grades each of its tasks.

    Args:
        file: an exercise, as far as it is solved.
        limit: seconds after which it is stopped.

    Raises:
        DataError: if it is missing, no exercise, or came to no end.
    """
    which, began = identify(file), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        code, said = _run(file.resolve(), which.number, report, limit)
        seconds = time.monotonic() - began
        if code is None:
            raise DataError(
                f"{file} was stopped after {limit:g} seconds; does a loop in it never end? An "
                "exercise takes less than two minutes."
            )
        if not report.is_file():
            raise DataError(f"{file} ended Python before it could be judged ({said or code}).")
        found = json.loads(report.read_text(encoding="utf-8"))
    error = found["error"] and f"{file} does not run: {found['error']}"
    return ExerciseResult(
        which, tuple(TaskResult(**task) for task in found["tasks"]), error, seconds
    )


def identify(file: Path) -> Exercise:
    """Identifies a file's exercise by its line `# miagym exercise 1`, else by a name like `1_….py`.

    Raises:
        DataError: if it cannot be read, or is none.
    """
    if file.suffix == ".ipynb":
        raise DataError(
            f"{file} is a notebook; save it as a script first: "
            f"`jupytext --to py:percent {file.name}`."
        )
    try:
        if not file.is_file():
            raise DataError(f"There is no file {file}; the exercises are in docs/exercises.")
        if file.stat().st_size > MAX_BYTES:
            raise DataError(f"{file} is too large for an exercise (more than 1 MB).")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text ({error}).") from None
    declared = DECLARED.search(text) or re.match(r"(\d+)_", file.name)
    if file.suffix != ".py" or declared is None:
        raise DataError(
            f"{file} is no exercise: expected a Python script with a line "
            f"`# miagym exercise N`, N from 1 to {max(EXERCISES)}."
        )
    return exercise(int(declared[1]))


def _run(file: Path, number: int, report: Path, limit: float) -> tuple[int | None, str]:
    """Exit code, None if it had to be stopped, and the last line on standard error."""
    command = [sys.executable, "-m", "miagym.exercises.runner", str(file), str(number), str(report)]
    quiet = {"HF_HUB_OFFLINE": "1", "MPLBACKEND": "Agg"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=file.parent,
            env=os.environ | quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:  # Ctrl-C too: it and what it started
            if process.poll() is None:
                _kill(process)
                process.wait()
        errors.seek(0)
        lines = errors.read().decode(errors="replace").split("\n")
    return code, next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and, where systems know groups, what it has started."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
