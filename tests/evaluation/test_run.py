"""The main job, through the command line: real folders, real models, kills and refusals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from attacks import LearnedAttack, attack_names, make_attack
from attacks.grey_box.sima import SimA
from attacks.registry import BUILT_IN
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.errors import TargetError
from miagym.metrics.measure import measure
from miagym.oracle import Oracle
from tests.command_line import run

pytestmark = pytest.mark.usefixtures("small_forests")
FEW = "loss,pia,rediffuse,trajectory-logistic,blind-captions"
BLIND = ("blind-captions", "blind-pixels", "blind-both")
"""In every run, asked for or not."""
CHEAP = [
    name
    for name in attack_names()
    if make_attack(name).cost.unet_rows <= 10
    and (BUILT_IN[name].calibrated or name == "trajectory-shift")
]
"""`all` is what the benchmarks run; a test can afford these, and one of sixteen settings."""
SOME = [*BLIND, "pia", "rediffuse", "trajectory-logistic"]
"""One of each access below white, and of each kind of rule."""


@pytest.fixture
def arguments(pipelines: dict[str, Path]) -> list[object]:
    """A small evaluation on an untrained pipeline."""
    return ["evaluate", "--target", pipelines["epsilon"], "--data", "clipart-tune", "--limit", 10]


def scores(out: Path) -> dict[tuple[str, str, str, int], float]:
    table = pq.read_table(out / "scores.parquet").to_pydict()
    names = ("attack", "variant", "candidate", "budget")
    keys = zip(*(table[name] for name in names), strict=True)
    return dict(zip(keys, table["score"], strict=True))


def without_seconds(out: Path) -> dict:
    results = json.loads((out / "results.json").read_text())
    for row in results["rows"]:
        assert row.pop("seconds") >= 0
    return results


@pytest.mark.parametrize(
    "attacks", [SOME, pytest.param(CHEAP, marks=[pytest.mark.slow, pytest.mark.long])]
)
def test_attacks_end_in_a_table_a_report_and_numbers(
    attacks: list[str], arguments: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(*arguments, "--attacks", ",".join(attacks), "--out", out)
    results = json.loads((out / "results.json").read_text())
    assert results["schema"] == 2
    assert {row["attack"] for row in results["rows"]} == set(attacks)
    written = pq.read_table(out / "scores.parquet").to_pydict()
    for row in results["rows"]:
        assert (row["n_members"], row["n_nonmembers"]) == (10, 10)
        assert row["auc_ci"][0] <= row["auc"] <= row["auc_ci"][1]
        assert row["tpr_at_fpr"]["0.01"] is None  # 10 non-members cannot resolve 1 %
        found = zip(written["attack"], written["part"], written["budget"], strict=True)
        own = [(i, b) for i, (a, p, b) in enumerate(found) if a == row["attack"] and p == "test"]
        last = max(budget for _, budget in own)
        rows = [i for i, budget in own if budget == last]
        mine = np.array([written["score"][i] for i in rows])
        member = np.array([written["member"][i] for i in rows])
        assert row["auc"] == measure(mine, member).auc
        assert row["unet_rows"] == np.mean([written["unet_rows"][i] for i in rows])
        kept = out / "fitted" / f"00-{row['attack']}.safetensors"
        assert kept.exists() == isinstance(make_attack(row["attack"]), LearnedAttack)
    printed = capsys.readouterr().out
    assert "rediffuse" in printed and "blind-pixels" in printed and "computed" in printed
    report = (out / "report.html").read_text()
    assert "Plotly.newPlot" in report and "blind-captions" in report
    run_json = json.loads((out / "run.json").read_text())
    assert run_json["data"] == {"clipart-tune": load_data("clipart-tune").digest}
    assert run_json["versions"]["torch"]


def test_labels_are_those_of_the_data(arguments: list[object], tmp_path: Path) -> None:
    run(*arguments, "--attacks", "sima", "--out", tmp_path / "run")
    table = pq.read_table(tmp_path / "run" / "scores.parquet").to_pydict()
    data = load_data("clipart-tune")
    rows = np.arange(len(data))
    truth = dict(zip(data.candidates(rows, 64).keys, data.member.tolist(), strict=True))
    assert all(truth[c] == m for c, m in zip(table["candidate"], table["member"], strict=True))


@pytest.mark.slow
def test_two_runs_with_one_seed_give_the_same_files(
    arguments: list[object], tmp_path: Path
) -> None:
    for name in "ab":
        run(*arguments, "--attacks", "pia,rediffuse", "--seed", 3, "--out", tmp_path / name)
    a, b = tmp_path / "a", tmp_path / "b"
    assert (a / "scores.parquet").read_bytes() == (b / "scores.parquet").read_bytes()
    assert without_seconds(a) == without_seconds(b)
    run(*arguments, "--attacks", "pia,rediffuse", "--seed", 4, "--out", tmp_path / "c")
    assert scores(a) != scores(tmp_path / "c")


@pytest.mark.slow
def test_scores_do_not_depend_on_batch_or_chunk_size(
    arguments: list[object], tmp_path: Path
) -> None:
    run(*arguments, "--attacks", FEW, "--out", tmp_path / "a")
    run(*arguments, "--attacks", FEW, "--out", tmp_path / "b", "--batch-size", 7, "--chunk", 9)
    a, b = scores(tmp_path / "a"), scores(tmp_path / "b")
    assert a.keys() == b.keys()
    learned = {key for key in a if key[0] == "trajectory-logistic"}
    keys = sorted(a.keys() - learned)
    np.testing.assert_allclose([a[k] for k in keys], [b[k] for k in keys], rtol=1e-5, atol=1e-5)
    # A fitted rule amplifies the last bits of its features.
    keys = sorted(learned)
    np.testing.assert_allclose([a[k] for k in keys], [b[k] for k in keys], rtol=0.02, atol=0.02)


def test_a_finished_run_is_not_run_again(
    arguments: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        run(*arguments, "--attacks", "sima", "--out", tmp_path / "run")
    assert "finished" in capsys.readouterr().out


def test_another_run_s_folder_is_left_alone(
    arguments: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(*arguments, "--attacks", "sima", "--out", out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    run(*arguments, "--attacks", "pia", "--out", out, code=2)
    said = " ".join(capsys.readouterr().err.split())
    assert "holds another run (attacks: " in said and "variants of pia: none there" in said
    run(*arguments, "--attacks", "sima", "--out", out, "--seed", 5, "--chunk", 10, code=2)
    said = " ".join(capsys.readouterr().err.split())
    assert "holds another run (seed: 0 there, 5 here, chunk: 256 there, 10 here)" in said
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (tmp_path / "thesis.txt").write_text("mine")
    run(*arguments, "--out", tmp_path, code=2)
    assert "holds no run of miagym" in capsys.readouterr().err


def test_a_budget_skips_what_it_does_not_cover_and_says_so(
    arguments: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*arguments, "--attacks", FEW, "--budget", 2, "--out", tmp_path / "run")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {row["attack"]: row["queries"] for row in results["rows"]} == {
        "rediffuse": 2.0,
        **dict.fromkeys(BLIND, 0.0),
    }
    skipped = {s["attack"] for s in results["run"]["skipped"]}
    assert skipped == {"loss", "pia", "trajectory-logistic"}
    assert "Skipped pia" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--attacks", "secmy"], "did you mean secmi"),
        (["--budget", "0"], "buys no answer"),
        (["--budget", "1", "--attacks", "pia"], "No attack can be run"),
        (["--attacks", ","], "No attack was named"),
        (["--data", "clipart"], "Got 2 of --data for 1 of --target"),
        (["--attacks", "loss+reference"], "name one as the reference"),
        (["--reference", "clipart-overfit@40"], "it was trained on clipart-tune, so it knows"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(
    arguments: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    says: str,
) -> None:
    run(*arguments, *options, "--out", tmp_path / "run", code=2)
    printed = capsys.readouterr()
    assert says in printed.err and "Traceback" not in printed.err + printed.out
    assert not (tmp_path / "run").exists()  # so that the mended command may begin there


@pytest.mark.slow
def test_a_reference_calibrates(
    arguments: list[object], tmp_path: Path, pipelines: dict[str, Path]
) -> None:
    """Against a copy of itself as reference, every calibrated score is nothing."""
    reference = ["--reference", shutil.copytree(pipelines["epsilon"], tmp_path / "copy")]
    run(*arguments, *reference, "--attacks", "pia+reference", "--out", tmp_path / "run")
    found = scores(tmp_path / "run").items()
    assert {score for (attack, *_), score in found if attack not in BLIND} == {0.0}


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_scored(
    arguments: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from miagym.evaluation.store import RunFolder

    write, written = RunFolder.write, []

    def interrupted(self: RunFolder, *arguments: object) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(arguments[0])
        write(self, *arguments)  # type: ignore[arg-type]

    common = [*arguments, "--attacks", "loss,pia", "--chunk", 10, "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", interrupted)
        run(*common, code=130)
    assert "the same command goes on" in capsys.readouterr().err
    assert len(list((tmp_path / "run" / "chunks").glob("*.parquet"))) == 2
    run(*common)
    assert (tmp_path / "run" / "results.json").exists()


@pytest.mark.slow
def test_a_budget_gives_the_curve_of_all_smaller_ones(
    arguments: list[object], tmp_path: Path
) -> None:
    """Scores after 1, 2, 4 queries are those of runs that had no more."""
    for budget in (2, 5):
        attacks = "rediffuse(strength=0.3),text-to-image"  # no other variant by calibration
        options = ["--attacks", attacks, "--budget", budget]
        run(*arguments, *options, "--out", tmp_path / f"{budget}")
    results = json.loads((tmp_path / "5" / "results.json").read_text())
    for row in results["rows"]:
        if row["attack"] in BLIND:
            continue
        assert [point["queries"] for point in row["curve"]] == [1, 2, 4, 5]
        last = row["curve"][-1]
        assert {key: row[key] for key in last} == last
        assert row["curve"][1]["unet_rows"] == row["unet_rows"] * 2 / 5
    large, small = scores(tmp_path / "5"), scores(tmp_path / "2")
    prefixes = {
        (attack, candidate): score
        for (attack, _, candidate, budget), score in large.items()
        if budget == 2
    }
    of_two = {
        (a, c): s for (a, _, c, budget), s in small.items() if budget == 2 and (a, c) in prefixes
    }
    assert len(of_two) == 40 and all(prefixes[key] == of_two[key] for key in of_two)
    assert 'id="budget"' in (tmp_path / "5" / "report.html").read_text()


@pytest.mark.slow
def test_rows_are_charged_in_full_and_computed_once(
    arguments: list[object], tmp_path: Path
) -> None:
    """The vector and the threshold form of CLiD ask the same questions."""
    computed, charged = [], []
    for attacks in ("clid-threshold", "clid-threshold,clid-vector"):
        out = tmp_path / attacks
        run(*arguments, "--attacks", attacks, "--out", out)
        about = json.loads((out / "results.json").read_text())["run"]
        computed.append(about["rows_computed"])
        charged.append(about["rows_charged"])
    assert charged[1] == 2 * charged[0] and computed[1] == computed[0] == charged[0]


def test_pictures_without_captions_skip_what_needs_them(
    pipelines: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder = load_data("clipart"), tmp_path / "pictures"
    for member, name in ((True, "members"), (False, "nonmembers")):
        (folder / name).mkdir(parents=True)
        for row in np.flatnonzero(data.member == member)[:8]:
            picture = data.pictures[row]
            assert isinstance(picture, bytes)
            (folder / name / f"{row}.png").write_bytes(picture)
    options = ["--target", pipelines["epsilon"], "--data", folder, "--attacks", "clid,sima"]
    run("evaluate", *options, "--out", tmp_path / "run")
    assert "Skipped clid" in capsys.readouterr().out
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [row["attack"] for row in results["rows"]] == ["sima"]


@pytest.mark.parametrize(
    ("options", "left", "why"),
    [
        # Its default costs 7 queries, and its pixel variants 8.
        (["--attacks", "trajectory-partial-denoising", "--budget", 7, "--limit", 10], 1, ""),
        (["--attacks", "sima,trajectory-logistic", "--limit", 4], 1, "at least 10 of each"),
    ],
)
def test_what_cannot_be_afforded_or_learned_is_left_out(
    pipelines: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[object],
    left: int,
    why: str,
) -> None:
    target = ["--target", pipelines["epsilon"], "--data", "clipart-tune"]
    run("evaluate", *target, *options, "--out", tmp_path / "run")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    asking = [row for row in results["rows"] if row["attack"] not in BLIND]
    assert len(asking) == left and why in capsys.readouterr().out


def test_an_attack_that_fails_halfway_does_not_stop_the_others(
    arguments: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = SimA.__call__

    def overflows(self: SimA, oracle: Oracle, candidates: Candidates) -> np.ndarray:
        if len(candidates) > 1:
            raise TargetError("half precision overflows")
        return as_it_is(self, oracle, candidates)

    monkeypatch.setattr(SimA, "__call__", overflows)
    run(*arguments, "--attacks", "sima,pia", "--out", tmp_path / "run")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [row["attack"] for row in results["rows"]] == [*BLIND, "pia"]
    (skipped,) = results["run"]["skipped"]
    assert skipped["attack"] == "sima" and "overflows" in skipped["why"]


@pytest.mark.slow
def test_a_changed_attack_does_not_go_on_in_an_old_folder(
    arguments: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    common = [*arguments, "--attacks", "sima", "--out", tmp_path / "run"]
    run(*common)
    monkeypatch.setattr(SimA, "variants", lambda self: (self,))
    run(*common, code=2)
    assert "holds another run (variants of sima: " in capsys.readouterr().err


def test_importing_is_light() -> None:
    code = (
        "import miagym, miagym.cli, sys; print('torch' in sys.modules, 'diffusers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_attacks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run("attacks")
    printed = capsys.readouterr().out
    assert all(name in printed for name in attack_names())
    run("attacks", "--json")
    listed = json.loads(capsys.readouterr().out)
    assert [attack["name"] for attack in listed] == list(attack_names())
    for attack in listed:
        assert attack["access"] in ("blind", "black", "grey", "white") and attack["paper"]
        made = make_attack(attack["name"])
        assert attack["cost"]["unet_rows"] == made.cost.unet_rows
        assert attack["needs_fitting"] == isinstance(made, LearnedAttack)
