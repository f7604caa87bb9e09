"""Code of a student's file: of a script, or of the code cells of a notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.errors import DataError

MAX_BYTES = {".py": 1_000_000, ".ipynb": 50_000_000}
"""By what a file is; a notebook holds the figures that were drawn in it."""
NBFORMAT = 4


@dataclass(frozen=True)
class StudentCode:
    """Code as a student wrote it.

    Args:
        path: where it was read.
        cells: code of each code cell, in the order of the notebook; a script is one.
        is_notebook: whether a place in it is a cell and a line.
    """

    path: Path
    cells: tuple[str, ...]
    is_notebook: bool

    def first_lines(self) -> list[int]:
        """Line at which each cell begins, in all cells below each other, from 1."""
        first, lines = [], 1
        for cell in self.cells:
            first.append(lines)
            lines += cell.count("\n") + 1
        return first

    def place(self, line: int) -> str:
        """Names a line, counted over all cells, as the student can find it."""
        if not self.is_notebook:
            return f"line {line}"
        first = self.first_lines()
        cell = max(number for number, begins in enumerate(first) if begins <= line)
        return f"code cell {cell + 1}, line {line - first[cell] + 1}"


def read_source(path: Path) -> StudentCode:
    """Reads a script, or a notebook, of which nothing is run.

    Raises:
        DataError: if it is missing, too large, no text, or no notebook of Python.
    """
    try:
        if not path.is_file():
            raise DataError(f"There is no file {path}; `miagym exercise start 1` writes one.")
        most = MAX_BYTES.get(path.suffix.lower(), 0)
        if not most:
            raise DataError(
                f"{path} is no exercise: expected a Python script (.py) or a notebook (.ipynb)."
            )
        if path.stat().st_size > most:
            raise DataError(f"{path} is too large for an exercise (more than {most // 10**6} MB).")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text ({error}).") from None
    if path.suffix.lower() == ".py":
        return StudentCode(path, (text,), is_notebook=False)
    return StudentCode(path, _code_cells(path, text), is_notebook=True)


def _code_cells(path: Path, text: str) -> tuple[str, ...]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{path} is no notebook: expected JSON, as Jupyter saves it.") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != NBFORMAT:
        raise DataError(
            f"{path} is no notebook of format {NBFORMAT}; save it again with a Jupyter of today."
        )
    if (language := _language(notebook.get("metadata"))) != "python":
        raise DataError(f"{path} is a notebook for {language}; an exercise is written in Python.")
    try:
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return tuple(_text(cell["source"]) for cell in cells)
    except (TypeError, KeyError):
        raise DataError(
            f"{path} is a damaged notebook: each cell needs a type and a source; take the exercise "
            "again and copy your cells into it."
        ) from None


def _text(source: str | list[str]) -> str:
    """A cell's text, which is saved whole or by lines."""
    return (source if isinstance(source, str) else "".join(source)).replace("\r\n", "\n")


def _language(metadata: Any) -> str:
    """Language of a notebook, Python where it does not say."""
    try:
        return str(metadata["kernelspec"]["language"]).lower()
    except (TypeError, KeyError):
        pass
    try:
        return str(metadata["language_info"]["name"]).lower()
    except (TypeError, KeyError):
        return "python"
