"""The gate: what passes, what does not, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import miagym
from miagym.api.gate import gate
from miagym.api.results import ScoreReport
from miagym.cli import app
from miagym.errors import RunError

N = 3000


def report(apart: float, seed: int = 0) -> ScoreReport:
    rng = np.random.default_rng(seed)
    member = np.arange(N) % 2 == 0
    part = np.where(np.arange(N) % 3 == 0, "calibration", "test")
    scores = rng.normal(size=N) + apart * member
    return miagym.score({"score": scores, "member": member, "part": part})


def test_the_upper_end_decides() -> None:
    safe, leaky = gate(report(0.0), max_tpr=0.05), gate(report(2.0), max_tpr=0.05)
    assert safe.passed and not leaky.passed
    (row,) = gate(report(0.0), max_tpr=0.5).rows
    assert row.ci[0] <= row.tpr <= row.ci[1]
    between = (row.tpr + row.ci[1]) / 2  # the estimate is below, the interval is not
    assert not gate(report(0.0), max_tpr=between).passed
    assert gate(report(0.0), max_tpr=row.ci[1]).passed


def test_epsilon_is_that_of_the_threshold_fixed_before() -> None:
    (row,) = gate(report(2.0), max_tpr=0.05).rows
    found = report(2.0)
    assert found["score"].at_threshold is not None
    at = found["score"].at_threshold["0.01"]
    assert row.epsilon == pytest.approx(np.log(at.tpr_ci[0] / at.fpr_ci[1]))
    assert row.epsilon > 1 > 0.5 > (gate(report(0.0), max_tpr=0.05).rows[0].epsilon or 0)
    assert found.as_json()["epsilon_at_least"] == {"score": row.epsilon}
    member = np.arange(400) % 2 == 0
    without = miagym.score(
        {"score": member + np.random.default_rng(0).normal(size=400), "member": member}
    )
    assert gate(without, max_tpr=0.5).rows[0].epsilon is None


def test_a_failed_control_is_refused(tmp_path: Path) -> None:
    content = report(0.0).as_json()
    content["controls"] = [one | {"passed": False} for one in content["controls"]]
    (tmp_path / "sheet.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match="controls failed") as refused:
        gate(tmp_path / "sheet.json", max_tpr=0.05)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_tpr": 0.0}, "limit of the TPR between"),
        ({"max_tpr": 0.05, "delta": 1.0}, "delta from 0"),
        (
            {"max_tpr": 0.05, "at_fpr": 0.5},
            r"no TPR at an FPR of 0.5, which was not measured; choose at_fpr=\.\.\. of 0.01 or",
        ),
    ],
)
def test_what_cannot_be_held_is_one_sentence(options: dict[str, float], why: str) -> None:
    with pytest.raises(RunError, match=why):
        gate(report(0.0), **options)


def test_too_few_non_members_are_told_how_many_it_takes() -> None:
    member = np.arange(40) % 2 == 0
    few = miagym.score({"score": np.arange(40.0), "member": member})
    with pytest.raises(RunError, match="takes 100 non-members, and it has 20; score more non-mem"):
        gate(few, max_tpr=0.05)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"schema": 2, "rows": []}', r"holds no results \(it lacks controls\)"),
        ("[]", r"holds no results \(it is a list of JSON, and no object\)"),
    ],
)
def test_files_that_are_no_results_are_told_why(content: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(RunError, match=why):
        gate(tmp_path / "x.json", max_tpr=0.05)


def test_files_that_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    for path in (tmp_path / "x.json", tmp_path / "none.json", tmp_path):
        with pytest.raises(RunError, match="holds no"):
            gate(path, max_tpr=0.05)
    blind = report(0.0).as_json()
    blind["rows"] = [row | {"access": "blind"} for row in blind["rows"]]
    (tmp_path / "blind.json").write_text(json.dumps(blind))
    with pytest.raises(RunError, match="no attack that sees the model"):
        gate(tmp_path / "blind.json", max_tpr=0.05)


def test_exit_codes_of_gate_and_of_score(tmp_path: Path) -> None:
    for name, apart, code in (("safe", 0.0, 0), ("leaky", 2.0, 1)):
        sheet = tmp_path / f"{name}.json"
        sheet.write_text(json.dumps(report(apart).as_json()))
        done = CliRunner().invoke(app, ["gate", str(sheet), "--max-tpr", "0.05"])
        assert done.exit_code == code, done.output
        assert ("Passed" if code == 0 else "Failed") in done.output
        rng = np.random.default_rng(0)
        member = np.arange(N) % 2 == 0
        scores = tmp_path / f"{name}.csv"
        lines = [
            f"{s},{int(m)}"
            for s, m in zip(rng.normal(size=N) + apart * member, member, strict=True)
        ]
        scores.write_text("\n".join(["score,member", *lines]))
        done = CliRunner().invoke(app, ["score", str(scores), "--max-tpr", "0.05"])
        assert done.exit_code == code, done.output
