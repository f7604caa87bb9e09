"""Percent scripts as notebooks, in Jupyter's own format."""

from __future__ import annotations

import re
from typing import Any

from miagym.exercises.source import NBFORMAT

MARKER = re.compile(r"^# %%( \[markdown\])?[ \t]*$", re.MULTILINE)


def to_notebook(script: str) -> dict[str, Any]:
    """Turns a percent script into a notebook, for `json.dump`.

    What stands above the first cell, the line that names the exercise, goes on top of the first
    cell of code.
    """
    above, *parts = MARKER.split(script)
    above, cells = above.strip("\n"), []
    for mark, text in zip(parts[::2], parts[1::2], strict=True):
        text = text.strip("\n")
        if mark:
            cells.append(_cell(len(cells), "markdown", re.sub(r"^# ?", "", text, flags=re.M)))
        else:
            code = f"{above}\n{text}" if above else text
            cells.append(_cell(len(cells), "code", code) | {"execution_count": None, "outputs": []})
            above = ""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": NBFORMAT, "nbformat_minor": 5}


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    return {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": lines}
