"""Handout of an exercise: the file that a student begins with, without its solution."""

from __future__ import annotations

import json
from pathlib import Path

from miagym.atomic import replacing
from miagym.errors import DataError
from miagym.exercises.notebook import to_notebook
from miagym.exercises.registry import SCRIPTS, exercise


def write_handout(number: int, folder: Path, *, notebook: bool = False) -> Path:
    """Writes an exercise into a folder, and says where.

    Args:
        number: which exercise.
        folder: where it goes; made if it is not there.
        notebook: as a notebook instead of a script.

    Raises:
        DataError: if there is no such exercise, or there is something of its name already, which
            may be a solution.
    """
    which = exercise(number)
    text = (SCRIPTS / which.file).read_text(encoding="utf-8")
    path = folder / which.file
    if notebook:
        text = json.dumps(to_notebook(text), indent=1, ensure_ascii=False) + "\n"
        path = path.with_suffix(".ipynb")
    if path.exists() or path.is_symlink():
        raise DataError(f"{path} is there already, and stays as it is; name another folder.")
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error}).") from None
    return path
