"""The solutions pass their checks, and differ from the exercises in the gaps only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from miagym.exercises.grading import grade_file
from miagym.exercises.registry import EXERCISES, SCRIPTS

SOLUTIONS = Path(__file__).parents[2] / "docs" / "exercises" / "solutions"
BUSY = 900
"""Seconds: a busy machine is no failure."""
FILES = [exercise.file for exercise in EXERCISES.values()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        file if file.startswith("1") else pytest.param(file, marks=pytest.mark.long)
        for file in FILES
    ],
)
def test_a_solution_passes(file: str) -> None:
    found = grade_file(SOLUTIONS / file, limit=BUSY)
    assert found.error is None
    assert {f.task: f.hint for f in found.findings if f.hint} == {}
    assert found.passed


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_an_unsolved_file_has_a_hint_for_each_gap(file: str) -> None:
    found = grade_file(SCRIPTS / file, limit=BUSY)
    assert found.error is None and found.solved == 0
    assert {finding.task for finding in found.findings} == _gaps(SCRIPTS / file)
    for finding in found.findings:
        assert finding.hint and finding.hint.startswith("not written yet. ")
        assert len(finding.hint) > len("not written yet. ") + 10


@pytest.mark.parametrize("file", FILES)
def test_a_solution_is_the_exercise_with_its_gaps_filled(file: str) -> None:
    exercise, solution = (
        _outside_gaps(path / file, SCRIPTS / file) for path in (SCRIPTS, SOLUTIONS)
    )
    assert exercise == solution
    assert not _gaps(SOLUTIONS / file)


def _is_gap(node: ast.AST) -> bool:
    """A function that only raises NotImplementedError, or an answer that is `...`."""
    if isinstance(node, ast.FunctionDef):
        return "NotImplementedError" in ast.unparse(node)
    return isinstance(node, ast.Assign) and ast.unparse(node.value) == "..."


def _gaps(exercise: Path) -> set[str]:
    nodes = ast.walk(ast.parse(exercise.read_text()))
    return {
        node.name if isinstance(node, ast.FunctionDef) else ast.unparse(node).split(" = ")[0]
        for node in nodes
        if _is_gap(node)
    }


def _outside_gaps(path: Path, exercise: Path) -> list[str]:
    """The statements of a file, those in gaps left out."""
    gaps, told = _gaps(exercise), []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name in gaps:
            told.append(f"{node.name}({ast.unparse(node.args)}): {ast.get_docstring(node)}")
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in gaps:
            told.append(ast.unparse(node.targets[0]))
        else:
            told.append(ast.unparse(node))
    return told
