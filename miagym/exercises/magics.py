"""Lines of notebooks that only Jupyter understands: `%magic`, `%%magic` and `!command`."""

from __future__ import annotations

import ast
import warnings
from dataclasses import replace

from miagym.exercises.source import StudentCode

OF_PYTHON = ("%%capture", "%%time", "%%timeit")
"""What may stand above Python in a cell; under any other `%%…` is another language, or a file."""


def without_magics(source: StudentCode) -> tuple[StudentCode, str | None]:
    """Takes out of a notebook what only Jupyter understands; it is never run.

    Returns:
        Python alone, every line where it was, and a sentence about what was taken out, if anything.
    """
    if not source.is_notebook:
        return source, None
    kept, skipped = [], []
    for first, cell in zip(source.first_lines(), source.cells, strict=True):
        python, lines = _python_of(cell)
        kept.append(python)
        skipped += [first + line for line in lines]
    if not skipped:
        return source, None
    what = "1 line" if len(skipped) == 1 else f"{len(skipped)} lines"
    note = (
        f"{what} that only Jupyter understands (% and !) skipped, the first in "
        f"{source.place(skipped[0])}."
    )
    return replace(source, cells=tuple(kept)), note


def _python_of(cell: str) -> tuple[str, list[int]]:
    """Python of a cell, and which lines were blanked for it, from 0.

    A line that begins with % or ! may be Python, in a text or within brackets: only where Python
    stumbles over one is it taken out.
    """
    lines, skipped = cell.split("\n"), []
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if lines[first].split()[0] not in OF_PYTHON:
            return "\n" * cell.count("\n"), [*range(first, len(lines))]
        lines[first] = ""
        skipped.append(first)
    while (at := _stumbles("\n".join(lines))) is not None and at < len(lines):
        if not lines[at].lstrip().startswith(("%", "!")):
            break
        indent = lines[at][: -len(lines[at].lstrip())]
        end = at
        while lines[end].endswith("\\") and end + 1 < len(lines):
            end += 1
        skipped += range(at, end + 1)
        # Nothing would be an empty block below an `if`; `pass` may not stand above `__future__`.
        lines[at : end + 1] = [f"{indent}pass" if indent else "", *[""] * (end - at)]
    return "\n".join(lines), sorted(skipped)


def _stumbles(python: str) -> int | None:
    """Line at which Python cannot read a text, from 0."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told when it is compiled
            ast.parse(python)
    except SyntaxError as error:
        return (error.lineno or 1) - 1
    except (ValueError, RecursionError, MemoryError):
        pass  # an error of the cell, which is told when it is compiled
    return None
