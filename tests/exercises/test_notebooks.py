"""Notebooks: written as a handout, and taken as a solution."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from miagym.errors import DataError
from miagym.exercises.grading import grade_file, identify
from miagym.exercises.handout import write_handout
from miagym.exercises.magics import without_magics
from miagym.exercises.notebook import to_notebook
from miagym.exercises.registry import EXERCISES, SCRIPTS
from miagym.exercises.source import StudentCode, read_source
from miagym.exercises.statements import run_source
from tests.exercises.test_judge import HONEST
from tests.exercises.test_solutions import BUSY, SOLUTIONS


def saved(folder: Path, *cells: str, name: str = "mine.ipynb", **more: Any) -> Path:
    """A notebook of code cells, as Jupyter saves it."""
    code = [{"cell_type": "code", "source": cell.splitlines(True)} for cell in cells]
    title = {"cell_type": "markdown", "source": "# miagym exercise 1\nis not this"}
    notebook = {"nbformat": 4, "cells": [title, *code], "metadata": {}} | more
    (folder / name).write_text(json.dumps(notebook), encoding="utf-8")
    return folder / name


def python(folder: Path, *cells: str) -> tuple[str, str | None]:
    """Python of a notebook, and what was skipped."""
    source, skipped = without_magics(read_source(saved(folder, *cells)))
    return "\n".join(source.cells), skipped


@pytest.mark.parametrize("number", EXERCISES)
def test_a_handout_is_the_exercise_as_a_script_and_as_a_notebook(
    number: int, tmp_path: Path
) -> None:
    script = write_handout(number, tmp_path / "new")
    notebook = write_handout(number, tmp_path / "new", notebook=True)
    original = (SCRIPTS / EXERCISES[number].file).read_text(encoding="utf-8")
    assert script.read_text(encoding="utf-8") == original
    assert script.with_suffix(".ipynb") == notebook
    assert identify(script).number == identify(notebook).number == number
    code = "\n".join(read_source(notebook).cells)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(original))
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"][0].startswith(f"# {number}. ")
    comments = re.findall(r"^# (.+)$", original, re.MULTILINE)
    prose = "".join("".join(cell["source"]) for cell in cells)
    assert all(line in prose for line in comments if not line.startswith("%%"))


def test_a_solution_is_never_overwritten(tmp_path: Path) -> None:
    path = write_handout(4, tmp_path)
    path.write_text("mine")
    with pytest.raises(DataError, match="is there already, and stays as it is"):
        write_handout(4, tmp_path)
    assert path.read_text() == "mine" and [*tmp_path.iterdir()] == [path]
    with pytest.raises(DataError, match="cannot be written"):
        write_handout(1, path)


@pytest.mark.slow
def test_a_notebook_is_graded_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.ipynb"
    file.write_text(json.dumps(to_notebook(HONEST + "# %%\n%matplotlib inline\ndisplay(1)\n")))
    found = grade_file(file, limit=BUSY)
    assert found.passed and found.exercise.number == 5
    assert found.skipped and found.skipped.startswith("1 line that only Jupyter understands")


def as_notebook(number: int, folder: Path) -> Path:
    """The solution of an exercise as a notebook."""
    solution = (SOLUTIONS / EXERCISES[number].file).read_text(encoding="utf-8")
    file = folder / "solution.ipynb"
    file.write_text(json.dumps(to_notebook(solution)), encoding="utf-8")
    return file


@pytest.mark.parametrize("number", EXERCISES)
def test_a_notebook_says_what_its_script_says(number: int, tmp_path: Path) -> None:
    """So what a script passes, which `test_solutions` shows of all, its notebook passes."""
    source = read_source(as_notebook(number, tmp_path))
    solution = (SOLUTIONS / EXERCISES[number].file).read_text(encoding="utf-8")
    assert source.is_notebook and len(source.cells) > 1
    assert ast.dump(ast.parse("\n".join(source.cells))) == ast.dump(ast.parse(solution))


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 6])
def test_a_solution_passes_as_a_notebook(number: int, tmp_path: Path) -> None:
    """One that is run, and one that is judged at a host."""
    found = grade_file(as_notebook(number, tmp_path), limit=BUSY)
    assert found.passed and found.skipped is None


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        (["x = 1\n\n1 / 0"], "code cell 2, line 3: ZeroDivisionError"),
        (["def f():\n  return 1 / 0", "f()"], "code cell 2, line 2, in f: ZeroDivisionError"),
        (["x = 1", "def f(:"], "code cell 3, line 1: SyntaxError"),
        (["return 1"], "code cell 2, line 1: SyntaxError"),
        (["x = '\ud800'"], "UnicodeEncodeError"),
        (["from __future__ import annotations\nfail"], "code cell 2, line 2: NameError"),
    ],
)
def test_an_error_is_told_with_its_cell(cells: list[str], error: str, tmp_path: Path) -> None:
    source = read_source(saved(tmp_path, "from __future__ import annotations", *cells))
    found = run_source(source, ModuleType("mine"))
    assert found.error and found.error.startswith(error)


def test_lines_of_jupyter_are_left_out_and_told(tmp_path: Path) -> None:
    kept, skipped = python(
        tmp_path,
        "!pip install it's \\\n  great\nfrom __future__ import annotations",
        "if True:\n    !ls\nx = (5\n% 3)",
        "%%time\ny = 1",
        "\n%%bash\necho 'y = 2'\ny = 3",
        "z = '''\n%matplotlib\n!ls'''",
    )
    names: dict[str, Any] = {}
    exec(kept, names)
    assert (names["x"], names["y"], names["z"]) == (2, 1, "\n%matplotlib\n!ls")
    assert skipped == (
        "7 lines that only Jupyter understands (% and !) skipped, the first in code cell 1, line 1."
    )


def test_python_that_looks_like_jupyter_stays(tmp_path: Path) -> None:
    source = "text = '''\n%run x\n'''\nx = (7\n% 4)"
    assert python(tmp_path, source) == (source, None)
    script = StudentCode(Path("a.py"), ("!ls",), is_notebook=False)
    assert without_magics(script) == (script, None)
    wrong = "x = = 1\n%matplotlib inline"  # the student's own slip is what is told
    assert python(tmp_path, wrong) == (wrong, None)


def test_a_notebook_says_its_exercise_by_a_line_of_code_or_its_name(tmp_path: Path) -> None:
    assert identify(saved(tmp_path, "x = 1\n# miagym exercise 3\n", name="1_a.ipynb")).number == 3
    assert identify(saved(tmp_path, "x = 1", name="2_b.ipynb")).number == 2
    with pytest.raises(DataError, match="expected a line `# miagym exercise N` in its code"):
        identify(saved(tmp_path, "x = 1"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is no notebook: expected JSON"),
        ("[" * 100_000, "is no notebook: expected JSON"),
        ("[]", "is no notebook of format 4"),
        ('{"nbformat": 3, "worksheets": []}', "is no notebook of format 4"),
        ('{"nbformat": 4}', "is a damaged notebook"),
        ('{"nbformat": 4, "cells": null}', "is a damaged notebook"),
        ('{"nbformat": 4, "cells": [1]}', "is a damaged notebook"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "is a damaged notebook"),
        (
            '{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}',
            "is a damaged notebook",
        ),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
            "is a notebook for r; an exercise is written in Python",
        ),
    ],
)
def test_what_is_no_notebook_is_a_sentence(content: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "1_mine.ipynb"
    file.write_text(content)
    with pytest.raises(DataError, match=sentence):
        identify(file)
