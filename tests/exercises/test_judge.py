"""What the checker says of files that are not as they should be."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from miagym.errors import DataError
from miagym.exercises.grading import ExerciseResult, grade_file, identify

HONEST = """# miagym exercise 5
import numpy as np
# %%
def p_value(score, nonmember_scores):
    return float((1 + (nonmember_scores >= score).sum()) / (len(nonmember_scores) + 1))
# %%
def verdict(p, alpha):
    return "member-like" if p <= alpha else "cannot tell"
# %%
def fewest_nonmembers(alpha):
    return int(np.ceil(1 / alpha - 1 - 1e-9))
# %%
def corrected(p_values):
    return float(min(1.0, len(p_values) * np.min(p_values)))
# %%
def innocent_share(tpr, fpr, base_rate):
    return fpr * (1 - base_rate) / (tpr * base_rate + fpr * (1 - base_rate))
# %%
answer_smallest, answer_base_rate, answer_artist = 0.13, 0.82, "cannot tell"
"""


def judged(folder: Path, source: str, name: str = "mine.py") -> ExerciseResult:
    file = folder / name
    file.write_text(source, encoding="utf-8")
    return grade_file(file, limit=120)


def hints(found: ExerciseResult) -> dict[str, str]:
    return {finding.task: finding.hint for finding in found.findings if finding.hint}


def replaced(old: str, new: str) -> str:
    assert old in HONEST
    return HONEST.replace(old, new)


@pytest.mark.slow
def test_an_honest_file_of_any_name_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, HONEST).passed


def test_wrong_and_hard_coded_functions_get_the_hint_of_their_mistake(tmp_path: Path) -> None:
    source = replaced(
        "(1 + (nonmember_scores >= score).sum())", "(nonmember_scores >= score).sum()"
    )
    source = source.replace("len(p_values) * np.min(p_values)", "np.min(p_values)")
    source = source.replace(
        "return int(np.ceil(1 / alpha - 1 - 1e-9))",
        "return {0.05: 19, 0.01: 99, 0.001: 999}[alpha]",  # what the file asks, and no more
    )
    source = source.replace('"cannot tell"\n# %%\ndef few', '"not a member"\n# %%\ndef few')
    source = source.replace(
        "return fpr * (1 - base_rate) / (tpr * base_rate + fpr * (1 - base_rate))", "return 1 / 3"
    )
    found = judged(tmp_path, source.replace("0.82", "0.5"))
    told = hints(found)
    assert found.error is None and not found.passed
    assert set(told) == {
        "p_value",
        "verdict",
        "fewest_nonmembers",
        "corrected",
        "innocent_share",
        "answer_base_rate",
    }
    assert "p = 0 for a score above all others" in told["p_value"]
    assert "does not show that a picture was not used" in told["verdict"]
    assert "line 11, in fewest_nonmembers: KeyError: 0.5" in told["fewest_nonmembers"]
    assert "come below 5 %" in told["corrected"]
    assert "of 1,000 pictures" in told["innocent_share"]


@pytest.mark.slow
def test_a_constant_is_no_p_value(tmp_path: Path) -> None:
    source = replaced("return float((1 +", "return 1 / 21\n    return float((1 +")
    assert set(hints(judged(tmp_path, source))) == {"p_value"}


@pytest.mark.slow
def test_an_open_gap_does_not_hide_the_others(tmp_path: Path) -> None:
    source = replaced(
        "    return float((1 +", "    raise NotImplementedError\n    return float((1 +"
    )
    source = source.replace("# %%\ndef verdict", "p = p_value(1.0, np.zeros(3))\n# %%\ndef verdict")
    source = source.replace("# %%\ndef corrected", "# %%\nprint(p)\n# %%\ndef corrected")
    told = hints(judged(tmp_path, source))
    assert set(told) == {"p_value"} and told["p_value"].startswith("not written yet. Count")


@pytest.mark.slow
def test_an_error_is_told_with_the_student_s_own_line(tmp_path: Path) -> None:
    source = replaced(
        "# %%\ndef corrected", "# %%\nx = p_value(None, np.zeros(3))\n# %%\ndef corrected"
    )
    found = judged(tmp_path, source)
    assert found.error and not found.passed
    assert "mine.py does not run: line 5, in p_value: TypeError: " in found.error
    reached = [finding.task for finding in found.findings if finding.reached]
    assert reached == ["p_value", "verdict", "fewest_nonmembers"]
    assert (found.solved, len(found.findings)) == (3, 8)  # the others stand in the total


@pytest.mark.slow
def test_a_slip_is_told_with_its_line_before_anything_runs(tmp_path: Path) -> None:
    found = judged(tmp_path, replaced("def verdict(p, alpha):", "def verdict(p, alpha)"))
    assert found.error and "does not run: line 7: SyntaxError: expected ':'" in found.error
    assert found.solved == 0 and len(found.findings) == 8
    assert not any(finding.reached for finding in found.findings)


def test_an_endless_loop_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text("# miagym exercise 5\nwhile True: pass\n")
    began = time.monotonic()
    found = grade_file(tmp_path / "loop.py", limit=3)
    assert found.error and "was stopped after 3 seconds" in found.error
    assert found.solved == 0 and len(found.findings) == 8 and not found.passed
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_leaving_python_is_no_pass(tmp_path: Path) -> None:
    left = judged(
        tmp_path, replaced("# %%\ndef verdict", "# %%\nraise SystemExit(0)\n# %%\ndef verdict")
    )
    assert left.error and "line 7: it ends Python" in left.error
    gone = judged(
        tmp_path,
        replaced("# %%\ndef verdict", "# %%\nimport os; os._exit(0)\n# %%\ndef verdict"),
    )
    assert gone.error and "ended Python before it could be judged" in gone.error
    assert gone.solved == 0 and len(gone.findings) == 8


@pytest.mark.parametrize("left", ["", "[" * 9000, "{}", '{"error": null, "tasks": [{"is": 1}]}'])
def test_a_report_that_the_file_spoiled_is_no_report(tmp_path: Path, left: str) -> None:
    (tmp_path / "spoil.py").write_text(
        "# miagym exercise 5\nimport os, pathlib, sys\n"
        f"pathlib.Path(sys.argv[-1]).write_text({left!r})\nos._exit(0)\n"
    )
    found = grade_file(tmp_path / "spoil.py", limit=60)
    assert found.error and "ended Python before it could be judged" in found.error


@pytest.mark.slow
def test_a_gap_that_was_taken_out_is_missing_and_not_out_of_reach(tmp_path: Path) -> None:
    source = replaced("def p_value(", "def another(").replace("# %%\ndef corr", "p_value\ndef corr")
    found = judged(tmp_path, source)
    assert found.error and "NameError" in found.error
    by_name = {finding.task: finding for finding in found.findings}
    assert by_name["p_value"].hint and "no p_value in the file any more" in by_name["p_value"].hint
    assert [name for name, finding in by_name.items() if not finding.reached] == [
        "corrected",
        "innocent_share",
        "answer_smallest",
        "answer_base_rate",
        "answer_artist",
    ]


def test_files_that_are_no_exercise_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text("print('hello')\n")
    (tmp_path / "9_more.py").write_text("")
    (tmp_path / "1_words.txt").write_text("# miagym exercise 1")
    (tmp_path / "1_bytes.py").write_bytes(b"\xff\xfe\x00")
    for name, sentence in {
        "missing.py": "There is no file",
        "notes.py": "is no exercise: expected a line `# miagym exercise N` in its code",
        "9_more.py": "There is no exercise 9; there are 1, 2, 3, 4, 5",
        "1_words.txt": r"expected a Python script \(.py\) or a notebook \(.ipynb\)",
        "1_bytes.py": "cannot be read as text",
    }.items():
        with pytest.raises(DataError, match=sentence):
            identify(tmp_path / name)


def test_a_line_in_the_file_goes_before_its_name(tmp_path: Path) -> None:
    (tmp_path / "1_by_name.py").write_text("")
    (tmp_path / "1_by_line.py").write_text("# miagym exercise 3\n")
    assert identify(tmp_path / "1_by_name.py").number == 1
    assert identify(tmp_path / "1_by_line.py").number == 3


@pytest.mark.slow
def test_what_is_found_is_plain_json(tmp_path: Path) -> None:
    found = judged(tmp_path, HONEST).as_json()
    assert json.loads(json.dumps(found)) == found
    assert found["passed"] and found["exercise"] == 5 and len(found["tasks"]) == 8


@pytest.mark.slow
def test_a_neighbour_s_file_stands_in_for_no_module(tmp_path: Path) -> None:
    """Students' files lie side by side, and one of them is called json or numpy."""
    for name in ("json.py", "numpy.py", "miagym.py"):
        (tmp_path / name).write_text("raise SystemExit('a neighbour')\n")
    (tmp_path / "beside.py").write_text("ONE = 1\n")
    found = judged(tmp_path, "# miagym exercise 5\nfrom beside import ONE\nimport numpy\nstop")
    assert found.error and "line 4: NameError" in found.error
