"""`miagym exercise`, as a student calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from miagym.cli.exercise import exercise
from miagym.errors import DataError
from miagym.exercises.registry import SCRIPTS

FEW = """# miagym exercise 5
def p_value(score, nonmember_scores):
    return float((1 + (nonmember_scores >= score).sum()) / (len(nonmember_scores) + 1))

def verdict(p, alpha):
    raise NotImplementedError("two words")

{more}
"""


def called(*arguments: object) -> Result:
    return CliRunner().invoke(exercise, [*map(str, arguments)])


def test_a_file_with_open_gaps_exits_with_1_and_a_line_for_each_task(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FEW.format(more="print(verdict(1, 1))\nanswer_artist = ..."))
    found = called("check", file)
    assert found.exit_code == 1
    first, *lines = found.output.splitlines()
    assert first == "Exercise 5, One picture, one p-value: 1 of 8 tasks solved."
    assert lines[0].startswith("✓ p_value: a rank among n + 1")
    assert lines[1].startswith("✗ verdict: not written yet. What does a p-value above alpha show?")
    assert lines[2] == "✗ fewest_nonmembers: not known before the gaps above are filled."
    assert len(lines) == 8 and "Traceback" not in found.output


def test_a_file_that_does_not_run_is_a_sentence_after_what_could_be_judged(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FEW.format(more="1 / 0\nanswer_artist = 1"))
    found = called("check", file)
    assert isinstance(found.exception, DataError)  # one sentence and exit code 2, in `main`
    assert "mine.py does not run: line 8: ZeroDivisionError" in str(found.exception)
    first, *lines = found.output.splitlines()
    assert first == "Exercise 5, One picture, one p-value: 1 of 8 tasks solved, 1 not reached."
    assert lines[0].startswith("✓ p_value") and len(lines) == 8
    assert "✗ answer_artist: not reached: the file stops before it." in lines


@pytest.mark.slow
def test_json_is_all_that_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FEW.format(more="print('hello')"))
    found = called("check", file, "--json")
    told = json.loads(found.output)
    assert found.exit_code == 1 and told["passed"] is False and told["error"] is None
    assert told["tasks"][0] == {
        "task": "p_value",
        "solved": True,
        "reached": True,
        "about": "a rank among n + 1, never 0, ties against membership",
        "hint": None,
    }


def test_what_is_missing_is_a_sentence() -> None:
    found = called("check", "nowhere.py")
    with pytest.raises(DataError, match=r"no file nowhere.py; `miagym exercise start 1` writes"):
        raise found.exception or AssertionError


def test_the_list_names_files_that_are_there() -> None:
    rows = json.loads(called("list", "--json").output)
    assert [row["exercise"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert all((SCRIPTS / row["file"]).is_file() for row in rows)
    assert all(row["file"] in called("list").output for row in rows)


def test_the_help_says_whose_rights_a_file_has() -> None:
    assert "runs with your rights" in " ".join(called("check", "--help").output.split())
