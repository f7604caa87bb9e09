"""Process that runs a student's file and checks its tasks.

`python -m miagym.exercises.runner FILE NUMBER REPORT` writes what it found to REPORT, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from miagym.atomic import replacing
from miagym.exercises.magics import without_magics
from miagym.exercises.registry import tasks_of
from miagym.exercises.source import StudentCode, read_source
from miagym.exercises.statements import RunResult, run_source, where
from miagym.exercises.task import NOT_REACHED, NotWritten, Task, Wrong

MODULE = "__main__"
"""What a file is called that is run."""


def main(file: str, number: str, report: str) -> None:
    source, skipped = without_magics(read_source(Path(file)))
    _show_no_figures()
    module = ModuleType(MODULE)
    module.__file__ = file
    sys.modules[MODULE] = module  # dataclasses look their module up
    sys.path.append(str(source.path.parent))  # last: what it imports from beside it hides no module
    if source.is_notebook:
        vars(module)["display"] = print
    ran = run_source(source, module)
    found = [
        {
            "task": task.name,
            "about": task.about,
            "hint": check_task(task, ran, source) if ran.reached(task.name) else NOT_REACHED,
            "reached": ran.reached(task.name),
        }
        for task in tasks_of(int(number))
    ]
    with replacing(Path(report)) as partial:
        told = {"error": ran.error, "skipped": skipped, "tasks": found}
        partial.write_text(json.dumps(told), encoding="utf-8")


def check_task(task: Task, ran: RunResult, source: StudentCode) -> str | None:
    """Checks one task: a hint, or None if it is solved."""
    if task.name not in ran.names:
        if ran.open:
            return "not known before the gaps above are filled."
        return f"there is no {task.name} in the file any more; take it from the exercise again."
    given = ran.names[task.name]
    try:
        if given is ...:
            raise NotWritten
        task.check(_guarded(given, ran, source) if callable(given) else given)
    except NotWritten:
        return f"not written yet. {task.hint}"
    except Wrong as wrong:
        return str(wrong)
    except TypeError as error:  # a plain value where a function should be
        if callable(given):
            raise
        return f"expected a function called {task.name}, as the exercise has it ({error})."
    return None


def _guarded(
    function: Callable[..., Any], ran: RunResult, source: StudentCode
) -> Callable[..., Any]:
    """A student's function, whose own errors become hints."""

    def call(*arguments: object) -> object:
        try:
            return function(*arguments)
        except NotImplementedError:
            raise NotWritten from None
        except (Exception, SystemExit) as error:
            if ran.open and isinstance(error, NameError):
                raise Wrong("it cannot be tried before the gaps above are filled.") from None
            raise Wrong(
                f"it fails on other input than the file's: {where(error, source)}"
            ) from None

    return call


def _show_no_figures() -> None:
    import plotly.io

    plotly.io.renderers.default = ""


if __name__ == "__main__":
    main(*sys.argv[1:])
