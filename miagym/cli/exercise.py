"""`miagym exercise`: the exercises for a class, and whether one is solved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json

if TYPE_CHECKING:
    from miagym.exercises.grading import ExerciseResult

exercise = typer.Typer(
    help="Exercises for a class: list them, check a solution.", no_args_is_help=True
)


@exercise.command()
def check(
    file: Annotated[Path, typer.Argument(help="An exercise, as far as you have solved it.")],
    limit: Annotated[float, typer.Option(min=1, help="Seconds after which it is stopped.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Run a file, and say of each task whether it is solved, with a hint where it is not.

    The file is Python code and runs with your rights: check only what you would run yourself. Exit
    code 0 if all is solved, 1 if something is not, 2 if the file does not run.
    """
    from miagym.errors import DataError
    from miagym.exercises.grading import grade_file

    found = grade_file(file, limit)
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)
    if found.error:
        raise DataError(found.error)
    if not found.passed:
        raise typer.Exit(1)


@exercise.command(name="list")
def list_exercises(as_json: AsJson = False) -> None:
    """List the exercises, which are in docs/exercises."""
    from miagym.exercises.registry import EXERCISES

    if as_json:
        rows = [
            {"exercise": e.number, "title": e.title, "file": e.file} for e in EXERCISES.values()
        ]
        print_json(rows)
        return
    for e in EXERCISES.values():
        _say(f"{e.number}  {e.title:38} {e.file}")
    _say("They are in docs/exercises; `miagym exercise check FILE` says how far a solution is.")


def _print(found: ExerciseResult) -> None:
    which, not_reached = found.exercise, sum(not finding.reached for finding in found.findings)
    _say(
        f"Exercise {which.number}, {which.title}: {found.solved} of {len(found.findings)} tasks "
        f"solved{f', {not_reached} not reached' if not_reached else ''}."
    )
    for finding in found.findings:
        if finding.hint is None:
            _say(f"✓ {finding.task}: {finding.about}.")
        else:
            _say(f"✗ {finding.task}: {finding.hint}")


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
