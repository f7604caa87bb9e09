"""`miagym exercise`: the exercises for a class, and whether one is solved."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json, progress, say

if TYPE_CHECKING:
    from miagym.exercises.grading import ExerciseResult

exercise = typer.Typer(
    help="Exercises for a class: list them, start one, check a solution.", no_args_is_help=True
)


@exercise.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE|FOLDER", help="An exercise, or what a class has handed in."),
    ],
    limit: Annotated[float, typer.Option(min=1, help="Seconds after which it is stopped.")] = 300,
    csv: Annotated[
        Path | None,
        typer.Option(help="Of a FOLDER: a new file for a row per student and exercise."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --csv.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a script or notebook, and say of each task whether it is solved, with a hint if not.

    The file is Python code and runs with your rights: check only what you would run yourself. Exit
    code 0 if all is solved, 1 if something is not, 2 if the file does not run.

    A folder holds a folder for each student, or files that are named after them. What does not run
    is a row as well; exit code 0 once all are graded.
    """
    from miagym.errors import DataError, SettingsError
    from miagym.exercises.grading import grade_file

    if file.is_dir():
        _check_class(file, limit, csv, force, as_json)
        return
    if csv is not None:
        raise SettingsError(f"--csv is for the folder of a class; {file} is none.")
    found = grade_file(file, limit)
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)
    if found.error:
        raise DataError(found.error)
    if not found.passed:
        raise typer.Exit(1)


@exercise.command()
def start(
    number: Annotated[int, typer.Argument(help="Which exercise; `list` names them.")],
    notebook: Annotated[
        bool, typer.Option("--notebook", help="A Jupyter notebook instead of a script.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder that it goes to.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write an exercise into a folder, with its gaps, to be solved there."""
    from miagym.exercises.handout import write_handout

    path = write_handout(number, out, notebook=notebook)
    if as_json:
        print_json({"exercise": number, "file": str(path)})
    else:
        say(f"{path} is yours; `miagym exercise check {path}` says how far you are.")


@exercise.command(name="list")
def list_exercises(as_json: AsJson = False) -> None:
    """List the exercises, which `start` writes."""
    from miagym.exercises.registry import EXERCISES

    if as_json:
        rows = [
            {"exercise": e.number, "title": e.title, "file": e.file} for e in EXERCISES.values()
        ]
        print_json(rows)
        return
    for e in EXERCISES.values():
        say(f"{e.number}  {e.title:38} {e.file}")
    say("`miagym exercise start 1` writes the first; `miagym exercise check FILE` checks it.")


def _print(found: ExerciseResult) -> None:
    which, not_reached = found.exercise, sum(not finding.reached for finding in found.findings)
    say(
        f"Exercise {which.number}, {which.title}: {found.solved} of {len(found.findings)} tasks "
        f"solved{f', {not_reached} not reached' if not_reached else ''}."
    )
    for finding in found.findings:
        if finding.hint is None:
            say(f"✓ {finding.task}: {finding.about}.")
        else:
            say(f"✗ {finding.task}: {finding.hint}")
    if found.skipped:
        say(f"Note: {found.skipped}")


def _check_class(folder: Path, limit: float, csv: Path | None, force: bool, as_json: bool) -> None:
    from miagym.errors import SettingsError
    from miagym.exercises.classroom import find_files, grade_class
    from miagym.exercises.marks import marks_file, summary, table
    from miagym.report.terminal import print_parts

    if csv is not None and csv.exists() and (csv.is_dir() or not force):
        raise SettingsError(f"{csv} is there already; name another file, or replace it by --force.")
    found = find_files(folder)
    with (
        marks_file(csv) if csv else nullcontext([]) as marks,
        progress(shown=not as_json) as shown,
    ):
        marks.extend(grade_class(folder, found, limit, shown))
    if as_json:
        rows = [mark.as_json() for mark in marks]
        print_json({"schema": 1, "marks": rows, "passed_over": found.passed_over})
        return
    print_parts(console, (table(marks), *summary(marks)))
    if found.passed_over:
        say(f"Passed over, as neither script nor notebook: {', '.join(found.passed_over)}.")
    if csv:
        say(f"{csv} has the marks.")
