"""Grading of a class: what every student has handed in, in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from miagym.errors import DataError
from miagym.exercises.grading import MAX_SECONDS, grade_file
from miagym.exercises.printable import printable
from miagym.exercises.source import MAX_BYTES
from miagym.progress import Progress, silent

OF_THE_SYSTEM = ("__pycache__", "__MACOSX")


@dataclass(frozen=True)
class HandedIn:
    """One file of a student, or the folder of one who handed in none."""

    student: str
    path: Path


@dataclass(frozen=True)
class ClassFolder:
    """What was found in the folder of a class."""

    files: tuple[HandedIn, ...]
    passed_over: tuple[str, ...]
    """Neither scripts nor notebooks, or in folders within a student's."""


@dataclass(frozen=True)
class Mark:
    """Grade of one file; without an exercise and a total if it could not be told which it is."""

    student: str
    file: str
    exercise: int | None
    solved: int
    total: int | None
    error: str | None
    note: str | None
    seconds: float

    @property
    def passed(self) -> bool:
        return self.error is None and self.solved == self.total

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"seconds": round(self.seconds, 1)}


def find_files(folder: Path) -> ClassFolder:
    """Finds the files of a class: `STUDENT/any.py`, or `STUDENT.py`; notebooks as well.

    Raises:
        DataError: if the folder cannot be read, or nobody has handed in anything.
    """
    files, passed_over = [], []
    for entry in _entries(folder):
        if entry.is_dir():
            own, others = _of_student(entry)
            files += [HandedIn(entry.name, file) for file in own or [entry]]
            passed_over += others
        elif _is_exercise(entry):
            files.append(HandedIn(entry.stem, entry))
        else:
            passed_over.append(entry)
    if not files:
        raise DataError(
            f"Nobody has handed in anything in {folder}: expected a folder for each student, or "
            "scripts (.py) and notebooks (.ipynb) that are named after them."
        )
    names = (printable(str(path.relative_to(folder))) for path in passed_over)
    return ClassFolder(tuple(files), tuple(names))


def grade_class(
    folder: Path, found: ClassFolder, limit: float = MAX_SECONDS, progress: Progress = silent
) -> Iterator[Mark]:
    """Grades one file after another, each in a process of its own; none of them ends the class.

    Args:
        folder: of the class.
        found: what is in it.
        limit: seconds that a file may take.
        progress: is told of each file.
    """
    advance = progress("Grading", len(found.files))
    for handed_in in found.files:
        yield _grade(folder, handed_in, limit)
        advance()


def _grade(folder: Path, handed_in: HandedIn, limit: float) -> Mark:
    student, path = printable(handed_in.student), handed_in.path
    file = printable(str(path.relative_to(folder)))
    try:
        if path.is_dir():
            raise DataError(f"{path} holds no script (.py) and no notebook (.ipynb).")
        found = grade_file(path, limit)
    except Exception as error:  # whatever a file is: the others are graded all the same
        return Mark(student, file, None, 0, None, printable(str(error)), None, 0.0)
    return Mark(
        student,
        file,
        found.exercise.number,
        found.solved,
        len(found.findings),
        found.error and printable(found.error),
        found.skipped,
        found.seconds,
    )


def _of_student(folder: Path) -> tuple[list[Path], list[Path]]:
    """A student's files, and what else is there."""
    try:
        entries = _entries(folder)
    except DataError:
        return [], []
    own = [entry for entry in entries if _is_exercise(entry) and not entry.is_dir()]
    return own, [entry for entry in entries if entry not in own]


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name, without what systems and Jupyter hide there."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: (path.name.casefold(), path.name))
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error}).") from None
    return [e for e in entries if not e.name.startswith(".") and e.name not in OF_THE_SYSTEM]


def _is_exercise(path: Path) -> bool:
    return path.suffix.lower() in MAX_BYTES
