"""What every run carries so that nobody is fooled: blind rows, controls, protocols, the audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miagym.data.registry import load_data
from miagym.metrics.auc import auc
from miagym.metrics.controls import LABEL_SHUFFLE, NONMEMBERS, NULL_TARGET
from miagym.metrics.labelled import Labelled, comparisons, fixed_beforehand
from miagym.results import Results
from tests.command_line import run

pytestmark = pytest.mark.usefixtures("small_forests")


def results_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "results.json").read_text())


@pytest.fixture(scope="module")
def out(pipelines: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two attacks that asks for nothing beyond them, but for the paper's protocol."""
    folder = tmp_path_factory.mktemp("fair") / "run"
    asked = [
        "--attacks",
        "sima,trajectory-logistic",
        "--paper",
        "--null",
        pipelines["v_prediction"],
    ]
    data = ["--data", "clipart-tune", "--limit", 24, "--chunk", 16, "--out", folder]
    run("evaluate", "--target", pipelines["epsilon"], *data, *asked)
    return folder


def test_blind_rows_are_there_unasked(out: Path) -> None:
    names = [row["attack"] for row in results_of(out)["rows"]]
    assert names == ["blind-captions", "blind-pixels", "blind-both", "sima", "trajectory-logistic"]


def test_every_asking_attack_has_every_control(out: Path) -> None:
    controls = results_of(out)["controls"]
    for attack in ("sima", "trajectory-logistic"):
        kinds = [c["control"] for c in controls if c["attack"] == attack]
        assert kinds == [LABEL_SHUFFLE, NONMEMBERS, NULL_TARGET]
    null = next(c for c in controls if c["control"] == NULL_TARGET and c["attack"] == "sima")
    table = pq.read_table(out / "scores.parquet")
    asked = [row for row in table.to_pylist() if row["part"] == "null" and row["attack"] == "sima"]
    sides = ([row["score"] for row in asked if row["member"] == m] for m in (True, False))
    assert null["auc"] == auc(*sides) and null["n_members"] == 24
    test = [row for row in table.to_pylist() if row["part"] == "test" and row["attack"] == "sima"]
    assert [row["candidate"] for row in asked] == [row["candidate"] for row in test]
    assert [row["score"] for row in asked] != [row["score"] for row in test]


def test_the_paper_s_protocol_has_scores_of_every_variant_on_the_test_part(out: Path) -> None:
    found = results_of(out)
    gaps = [gap for gap in found["protocols"] if gap["attack"] == "sima"]
    assert [gap["part"] for gap in gaps] == ["calibration", "test"]
    assert {gap["variants"] for gap in gaps} == {4}
    assert not [gap for gap in found["protocols"] if gap["attack"] == "trajectory-logistic"]
    table = pq.read_table(out / "scores.parquet").to_pylist()
    chosen = next(row["chosen"] for row in found["rows"] if row["attack"] == "sima")
    others = {row["variant"] for row in table if row["part"] == "paper"}
    assert len(others) == 3 and chosen not in others
    assert {row["variant"] for row in table if row["part"] == "test"} >= {chosen}


def test_thresholds_come_from_the_calibration_part(out: Path) -> None:
    """24 calibration non-members set no threshold at 1 %; the balanced one is theirs."""
    row = next(row for row in results_of(out)["rows"] if row["attack"] == "sima")
    assert row["at_threshold"].keys() == {"balanced"}
    table = pq.read_table(out / "scores.parquet").to_pylist()
    own = [r for r in table if r["attack"] == "sima" and r["variant"] == row["chosen"]]
    calibration, test = (
        Labelled(
            np.array([r["score"] for r in own if r["part"] == part]),
            np.array([r["member"] for r in own if r["part"] == part]),
            groups=np.array([r["group"] for r in own if r["part"] == part]),
        )
        for part in ("calibration", "test")
    )
    assert row["at_threshold"] == fixed_beforehand(calibration, test)
    learned = next(r for r in results_of(out)["rows"] if r["attack"] == "trajectory-logistic")
    assert learned["at_threshold"]["balanced"]["threshold"] != 0


def test_the_data_are_audited_and_attacks_compared(out: Path) -> None:
    found = results_of(out)
    assert [audit["data"] for audit in found["audit"]] == ["clipart-tune"]
    assert found["audit"][0]["verdict"] in ("fair", "shifted", "too small")
    pairs = [(row["attack"], row["kind"]) for row in found["comparisons"]]
    assert ("sima", "strongest blind row") in pairs and len(pairs) == 3


def test_the_report_says_all_of_it(out: Path) -> None:
    report = (out / "report.html").read_text()
    for words in (
        "Is the split fair?",
        LABEL_SHUFFLE,
        NONMEMBERS,
        NULL_TARGET,
        "(optimistic)",
        "strongest blind row",
        "not resolvable with n = 24",
    ):
        assert words in report, words


def test_a_failed_control_is_marked_in_words(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from miagym.report.standing import remark

    (row, *_) = [row for row in Results.read(out / "results.json").rows if not row.blind]
    row = row.model_copy(update={"failed_controls": (NULL_TARGET,)})
    assert "FAILED CONTROL (null target)" in remark(row, [row])


def some_broken(folder: Path, broken: dict[str, list[int]], n: int = 12) -> Path:
    """A parquet of n of each side and part; of some, by side and part, no picture can be read."""
    data = load_data("clipart-tune")
    images, members, parts, captions = [], [], [], []
    for part in ("calibration", "test"):
        for member, side in ((True, "member"), (False, "non-member")):
            rows = np.flatnonzero((data.member == member) & (data.part == part))[:n]
            lost = broken.get(f"{part} {side}", [])
            images += [
                b"broken %d" % row if i in lost else data.pictures[row]
                for i, row in enumerate(rows)
            ]
            members += [member] * n
            parts += [part] * n
            captions += [data.captions[row] for row in rows]
    columns = {"image": images, "member": members, "part": parts, "caption": captions}
    pq.write_table(pa.table(columns), folder / "some.parquet")
    return folder / "some.parquet"


def test_unreadable_pictures_are_skipped_counted_and_listed(
    pipelines: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = some_broken(tmp_path, {"calibration member": [3, 5], "test non-member": [7]})
    target = ["--target", pipelines["epsilon"], "--data", data]
    run("evaluate", *target, "--attacks", "sima", "--chunk", 8, "--out", tmp_path / "run")
    found = results_of(tmp_path / "run")
    assert [lost["row"] for lost in found["run"]["unreadable"]] == [3, 5, 43]
    assert [lost["member"] for lost in found["run"]["unreadable"]] == [True, True, False]
    assert "2 of members and 1 of non-members" in capsys.readouterr().out
    assert "2 of members and 1 of non-members" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.slow
def test_too_few_readable_to_learn_leaves_only_learned_rows_out(
    pipelines: dict[str, Path], tmp_path: Path
) -> None:
    data = some_broken(tmp_path, {"calibration member": [0, 1, 2]})
    target = ["--target", pipelines["epsilon"], "--data", data]
    run("evaluate", *target, "--attacks", "sima", "--out", tmp_path / "run")
    found = results_of(tmp_path / "run")
    assert [row["attack"] for row in found["rows"]] == ["sima"]
    assert {s["attack"] for s in found["run"]["skipped"]} == {
        "blind-captions",
        "blind-pixels",
        "blind-both",
    }


@pytest.mark.parametrize("where", ["calibration member", "test non-member"])
def test_a_side_that_cannot_be_read_is_a_sentence(
    pipelines: dict[str, Path], tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = some_broken(tmp_path, {where: list(range(12))})
    target = ["--target", pipelines["epsilon"], "--data", data, "--attacks", "sima"]
    run("evaluate", *target, "--out", tmp_path / "run", code=2)
    part, side = where.split()
    error = capsys.readouterr().err
    assert f"No picture of the {side}s in the {part} part" in error and "12 cannot" in error


@pytest.mark.slow
def test_learned_attacks_alone_can_be_run(pipelines: dict[str, Path], tmp_path: Path) -> None:
    match = ["--target", pipelines["epsilon"], "--data", "clipart-tune", "--limit", 12]
    run("evaluate", *match, "--attacks", "trajectory-logistic", "--out", tmp_path / "run")
    rows = results_of(tmp_path / "run")["rows"]
    assert len(rows) == 4 and all("failed_controls" in row for row in rows)


def test_one_match_is_not_run_twice(
    pipelines: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    match = ["--target", pipelines["epsilon"], "--data", "clipart-tune"]
    run("evaluate", *match, *match, "--out", tmp_path / "run", code=2)
    assert "asked for twice" in capsys.readouterr().err


def test_comparisons_are_corrected_and_against_the_strongest() -> None:
    """A strong attack beats the blind row after Holm's correction, a useless one does not."""
    rng = np.random.default_rng(0)
    member = np.arange(600) < 300
    scores = {
        "blind-a": Labelled(rng.normal(size=600), member),
        "strong": Labelled(rng.normal(size=600) + member, member),
        "useless": Labelled(rng.normal(size=600), member),
    }
    rows = comparisons(scores, ["strong", "useless"], seed=0)
    blind = {r["attack"]: r for r in rows if r["kind"] == "strongest blind row"}
    assert blind["strong"]["p_holm"] < 1e-6 and blind["strong"]["auc"]["ci"][0] > 0
    assert blind["useless"]["p_holm"] > 0.05
    assert blind["strong"]["p_holm"] == 2 * blind["strong"]["auc"]["p"]
    (last,) = (r for r in rows if r["kind"] == "best attack")
    assert (last["attack"], last["against"]) == ("useless", "strong")
    assert last["auc"]["ci"][1] < 0
