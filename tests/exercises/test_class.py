"""A class is graded: one row for each file, whatever it is."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from miagym.cli.exercise import exercise
from miagym.errors import DataError, SettingsError
from miagym.exercises import classroom
from miagym.exercises.classroom import Mark, find_files, grade_class
from miagym.exercises.grading import ExerciseResult, TaskResult
from miagym.exercises.marks import marks_file, summary
from miagym.exercises.registry import EXERCISES
from tests.exercises.test_judge import HONEST
from tests.exercises.test_notebooks import saved
from tests.exercises.test_solutions import BUSY

MARK = Mark("ada", "ada.py", 5, 8, 8, None, None, 1.26)


def called(*arguments: object) -> Result:
    return CliRunner().invoke(exercise, ["check", *map(str, arguments)])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A class with what comes in: nothing in it takes long."""
    folder = tmp_path / "class"
    for place in ("ada/__pycache__", "ada/.ipynb_checkpoints", "eve/deeper", "Zoë"):
        (folder / place).mkdir(parents=True)
    (folder / "ada/two.py").write_text("# miagym exercise 2\n")
    saved(folder / "ada", "# miagym exercise 1")
    (folder / "ada/report.pdf").write_text("")
    (folder / "ada/__pycache__/x.py").write_text("")
    (folder / "eve/deeper/5_one.py").write_text("")
    (folder / "Zoë/5_one.py").write_bytes(b"\xff\xfe")
    (folder / "=HYPERLINK(1).py").write_text("print('no exercise')")
    (folder / ".DS_Store.py").write_text("")
    (folder / "bob.py").write_text("# miagym exercise 5\nwhile True: pass\n")
    return folder


def graded_at_once(file: Path, limit: float) -> ExerciseResult:
    """Solved by notebooks; scripts stop after their first task."""
    if file.stem == "crash":
        raise RuntimeError("nobody\nfore\x1bsaw it")
    late = TaskResult("b", "", "not reached", reached=False)
    good = file.suffix == ".ipynb"
    tasks = (TaskResult("a", "", None), replace(late, hint=None) if good else late)
    return ExerciseResult(EXERCISES[5], tasks, None if good else "-1 is no number", limit)


def test_files_are_found_by_folder_and_by_name(school: Path) -> None:
    found = find_files(school)
    told = [(one.student, str(one.path.relative_to(school))) for one in found.files]
    assert told == [
        ("=HYPERLINK(1)", "=HYPERLINK(1).py"),
        ("ada", "ada/mine.ipynb"),
        ("ada", "ada/two.py"),
        ("bob", "bob.py"),
        ("eve", "eve"),
        ("Zoë", "Zoë/5_one.py"),
    ]
    assert found.passed_over == ("ada/report.pdf", "eve/deeper")


def test_an_empty_class_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match="Nobody has handed in anything in"):
        find_files(tmp_path)


def test_no_file_ends_the_class(school: Path, tmp_path: Path) -> None:
    """One file would never end; whether a second is enough for the rest is the machine's affair."""
    out = tmp_path / "marks.csv"
    found = called(school, "--csv", out, "--limit", 1)
    assert found.exit_code == 0, found.exception
    by_file = {row["file"]: row for row in rows(out)}
    assert list(by_file) == [
        "'=HYPERLINK(1).py",
        "ada/mine.ipynb",
        "ada/two.py",
        "bob.py",
        "eve",
        "Zoë/5_one.py",
    ]
    bob = by_file["bob.py"]
    assert (bob["student"], bob["exercise"], bob["solved"], bob["total"]) == ("bob", "5", "0", "8")
    assert "was stopped after 1 seconds" in bob["error"] and float(bob["seconds"]) >= 1
    assert "is no exercise" in by_file["'=HYPERLINK(1).py"]["error"]
    assert by_file["'=HYPERLINK(1).py"]["student"] == "'=HYPERLINK(1)"
    assert "holds no script" in by_file["eve"]["error"] and by_file["eve"]["total"] == ""
    assert "cannot be read as text" in by_file["Zoë/5_one.py"]["error"]
    failed = {file for file, row in by_file.items() if row["error"]}
    assert failed >= {"'=HYPERLINK(1).py", "bob.py", "eve", "Zoë/5_one.py"}
    assert f"6 files of 5 students; {len(failed)} with an error." in found.output
    assert "Passed over, as neither script nor notebook: ada/report.pdf" in found.output
    assert {*tmp_path.iterdir()} == {school, out}


def test_marks_are_what_the_files_earned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "grade_file", graded_at_once)
    for name in ("ann.ipynb", "ben.py", "crash.py"):
        (tmp_path / name).write_text("")
    ann, ben, crash = grade_class(tmp_path, find_files(tmp_path), limit=7)
    assert ann == Mark("ann", "ann.ipynb", 5, 2, 2, None, None, 7) and ann.passed
    assert ben == Mark("ben", "ben.py", 5, 1, 2, "-1 is no number", None, 7) and not ben.passed
    assert crash == Mark("crash", "crash.py", None, 0, None, "nobody fore�saw it", None, 0)
    told = [*summary([ann, ben, crash])]
    assert told[0].endswith(": 2 files, 1 solved whole, 75% of tasks.")
    assert told[1:] == ["3 files of 3 students; 2 with an error."]
    printed = json.loads(called(tmp_path, "--json").output)
    assert [mark["solved"] for mark in printed["marks"]] == [2, 1, 0]
    assert printed["schema"] == 1 and printed["passed_over"] == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"])
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    with marks_file(tmp_path / "marks.csv") as marks:
        marks.append(replace(MARK, student=text, file=text, error=text, note=text))
    (row,) = rows(tmp_path / "marks.csv")
    assert {row[name] for name in ("student", "file", "error", "note")} == {f"'{text}"}
    assert (row["exercise"], row["solved"], row["seconds"]) == ("5", "8", "1.3")


def test_the_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "marks.csv"
    with pytest.raises(KeyboardInterrupt), marks_file(out) as marks:
        marks.append(MARK)
        raise KeyboardInterrupt
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError), marks_file(tmp_path / "file" / "marks.csv"):
        pytest.fail("nobody is graded for a file that cannot be written")


def test_marks_are_replaced_only_if_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "grade_file", graded_at_once)
    (tmp_path / "class").mkdir()
    (tmp_path / "class/ann.ipynb").write_text("")
    out = tmp_path / "marks.csv"
    out.write_text("of last week")
    refused = called(tmp_path / "class", "--csv", out)
    assert isinstance(refused.exception, SettingsError) and out.read_text() == "of last week"
    assert called(tmp_path / "class", "--csv", out, "--force").exit_code == 0
    assert rows(out)[0]["student"] == "ann"
    single = called(tmp_path / "class/ann.ipynb", "--csv", tmp_path / "new.csv")
    assert "--csv is for the folder of a class" in str(single.exception)


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on POSIX only")
def test_names_that_are_no_unicode_are_rows(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.py", os.O_CREAT))
    (mark,) = grade_class(tmp_path, find_files(tmp_path))
    with marks_file(tmp_path / "out" / "marks.csv") as marks:
        marks.append(mark)
    assert rows(tmp_path / "out" / "marks.csv")[0]["student"] == "caf�"


@pytest.mark.slow
def test_a_whole_class(tmp_path: Path) -> None:
    (tmp_path / "ada.py").write_text(HONEST)
    (tmp_path / "json.py").write_text(HONEST.replace("0.82", "0.5"))
    first, second = grade_class(tmp_path, find_files(tmp_path), BUSY)
    assert (first.student, first.solved, first.total, first.passed) == ("ada", 8, 8, True)
    assert (second.student, second.solved, second.error) == ("json", 7, None)
