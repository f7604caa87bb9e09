"""Scores in one file for each side, matrices of timesteps, and which timestep is chosen on what."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import miagym
from miagym.cli import app
from miagym.errors import DataError
from miagym.metrics.auc import auc

RNG = np.random.default_rng(0)
INSIDE, OUTSIDE = RNG.normal(size=(120, 6)), RNG.normal(size=(100, 6))
INSIDE[:, 4] += 1
NAMES = [f"t{t}" for t in range(0, 60, 10)]
Write = Callable[[Path, NDArray[Any]], object]


def npy(path: Path, scores: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, scores)


def npz(path: Path, scores: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.savez(file, anything=scores)


def csv(path: Path, scores: NDArray[Any]) -> None:
    pd.DataFrame(scores).to_csv(path, index=False)


def csv_with_index(path: Path, scores: NDArray[Any]) -> None:
    pd.DataFrame(scores).to_csv(path)


def savetxt(path: Path, scores: NDArray[Any]) -> None:
    np.savetxt(path, scores, fmt="%.17g")


def savetxt_with_commas(path: Path, scores: NDArray[Any]) -> None:
    np.savetxt(path, scores, fmt="%.17g", delimiter=",")


def parquet(path: Path, scores: NDArray[Any]) -> None:
    pd.DataFrame(scores, columns=[str(i) for i in range(scores.shape[1])]).to_parquet(path)


WAYS: list[Write] = [npy, npz, csv, csv_with_index, savetxt, savetxt_with_commas, parquet]


def sides(folder: Path, write: Write, inside: Any = INSIDE, outside: Any = OUTSIDE) -> list[str]:
    write(folder / "a", inside)
    write(folder / "b", outside)
    return ["--members", str(folder / "a"), "--nonmembers", str(folder / "b")]


def run(*options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["score", "--json", *options])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


@pytest.mark.parametrize("write", WAYS, ids=[w.__name__ for w in WAYS])
def test_a_timestep_is_chosen_on_one_half_and_measured_on_the_other(
    write: Write, tmp_path: Path
) -> None:
    found = run(*sides(tmp_path, write))
    (row,) = found["rows"]
    assert (row["chosen"], row["protocol"]) == ("4", "held-out, chosen on a random half")
    assert (row["n_members"], row["n_nonmembers"]) == (60, 50)
    same = miagym.score(members=INSIDE, nonmembers=OUTSIDE)["score"]
    assert row["auc"] == pytest.approx(same.auc, abs=1e-12)


def test_the_half_is_that_of_the_seed(tmp_path: Path) -> None:
    given = sides(tmp_path, npy)
    aucs = [run(*given, "--seed", seed)["rows"][0]["auc"] for seed in "001"]
    assert aucs[0] == aucs[1] != aucs[2]


def test_the_measured_half_chose_nothing() -> None:
    """Of forty columns of noise, the chosen one is no better than chance where it is measured."""
    noise = np.random.default_rng(1).normal(size=(400, 40))
    inside, outside = noise[:200], noise[200:]
    best = max(auc(inside[:, t], outside[:, t]) for t in range(40))
    held = miagym.score(members=inside, nonmembers=outside)["score"]
    assert held.auc.ci[0] < 0.5 < held.auc.ci[1] and held.auc < best  # type: ignore[attr-defined]
    flattered = miagym.score(members=inside, nonmembers=outside, optimistic=True)["score"]
    assert flattered.auc == best and not flattered.held_out
    assert flattered.protocol == "optimistic, chosen on the same candidates"


def test_the_table_says_on_what_was_chosen(tmp_path: Path) -> None:
    given = sides(tmp_path, npy)
    for options, words in (
        ([], "protocol: held-out, chosen on a random half"),
        (["--optimistic"], "protocol: optimistic, chosen on the same candidates"),
    ):
        assert words in CliRunner().invoke(app, ["score", *given, *options]).output


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    given = sides(tmp_path, npy)
    assert run(*given, "--columns", "0,1")["rows"][0]["chosen"] in {"0", "1"}
    (row,) = run(*given, "--columns", "4")["rows"]
    assert (row["chosen"], row["protocol"]) == (None, "as given")
    assert row["auc"] == auc(INSIDE[:, 4], OUTSIDE[:, 4])


def test_the_side_that_lacks_a_column_is_named_with_its_own(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a has no column '7' of .* some of 0, 1, 2, 3, 4, 5\.$"):
        run(*sides(tmp_path, npy), "--columns", "0,7")
    with pytest.raises(DataError, match=r"b has no column '4' of scores; expected some of 0, 1\.$"):
        run(*sides(tmp_path, npy, outside=OUTSIDE[:, :2]), "--columns", "0,4")


def test_columns_of_one_labelled_file_are_variants(tmp_path: Path) -> None:
    wide = pd.DataFrame(np.concatenate([INSIDE, OUTSIDE]), columns=NAMES)
    wide.assign(member=np.arange(220) < 120, id=np.arange(220)).to_csv(tmp_path / "w.csv")
    (row,) = run(str(tmp_path / "w.csv"), "--columns", ",".join(NAMES))["rows"]
    assert row["chosen"] == "t40" and row["n_members"] == 60
    part = np.where(np.arange(220) % 2, "calibration", "test")
    wide.assign(member=np.arange(220) < 120, part=part).to_csv(tmp_path / "p.csv")
    (row,) = run(str(tmp_path / "p.csv"), "--columns", ",".join(NAMES))["rows"]
    assert row["protocol"] == "held-out" and row["auc"] == auc(INSIDE[::2, 4], OUTSIDE[::2, 4])


def test_a_plain_column_of_scores_is_no_choice(tmp_path: Path) -> None:
    for write in (npy, savetxt):
        (row,) = run(*sides(tmp_path, write, INSIDE[:, 4], OUTSIDE[:, 4]))["rows"]
        assert row["protocol"] == "as given"
        assert row["auc"] == pytest.approx(auc(INSIDE[:, 4], OUTSIDE[:, 4]), abs=1e-12)


def test_low_scores_can_mean_members_here_too(tmp_path: Path) -> None:
    (row,) = run(*sides(tmp_path, npy, -INSIDE, -OUTSIDE), "--lower-is-member")["rows"]
    assert row["chosen"] == "4" and row["auc"] > 0.6


def test_captions_and_groups_of_both_sides_are_kept(tmp_path: Path) -> None:
    for file, scores, word in (("a", INSIDE, "photo"), ("b", OUTSIDE, "drawing")):
        n = len(scores)
        more = {"id": range(n), "caption": [f"a {word} of {i}" for i in range(n)]}
        groups = [f"{word} {i // 2}" for i in range(n)]
        frame = pd.DataFrame({"t": scores[:, 4], "u": scores[:, 0], "group": groups, **more})
        frame.to_csv(tmp_path / file, index=False)
    found = run("--members", str(tmp_path / "a"), "--nonmembers", str(tmp_path / "b"))
    blind, row = found["rows"]
    assert blind["access"] == "blind" and blind["auc"] > 0.9
    assert row["chosen"] == "t" and row["effective_members"] is not None


REFUSED = {
    "a pickle": (np.array([{}, {}], dtype=object), "never opens"),
    "three dimensions": (np.zeros((9, 3, 3)), r"expected \(n,\), or \(n, timesteps\)"),
    "candidates as columns": (np.zeros((6, 120)), "save its transpose"),
    "other columns": (np.zeros((120, 5)), "expected the same columns of both sides"),
    "a gap": (np.where(INSIDE > 2.5, np.nan, INSIDE), "a: .* are no finite numbers .* row"),
    "texts": (np.array([["x"] * 6] * 9), "expected a number"),
    "nothing": (np.zeros((0, 6)), "holds an array"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_matrix_of_scores_is_a_sentence(name: str, tmp_path: Path) -> None:
    values, why = REFUSED[name]
    npy(tmp_path / "b", OUTSIDE)
    with (tmp_path / "a").open("wb") as file:
        np.save(file, values, allow_pickle=True)
    with pytest.raises(DataError, match=why):
        run("--members", str(tmp_path / "a"), "--nonmembers", str(tmp_path / "b"))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "Expected FILE with scores and labels, or both --members and --nonmembers"),
        (["--members", "a.npy"], "or both --members and --nonmembers"),
        (["x.csv", "--members", "a", "--nonmembers", "b"], "or both --members and --nonmembers"),
        (["x.csv", "--score", "s", "--columns", "a,b"], "got both"),
        (["--members", "a", "--nonmembers", "b"], "There is no file a"),
    ],
)
def test_half_a_question_is_a_sentence(options: list[str], why: str) -> None:
    with pytest.raises(DataError, match=why):
        run(*options)


def test_python_speaks_of_keywords() -> None:
    with pytest.raises(DataError, match=r"members and nonmembers; got members\."):
        miagym.score(members=INSIDE)
    with pytest.raises(DataError, match=r"no column '9' of scores; expected some of 0, 1, 2"):
        miagym.score(members=INSIDE, nonmembers=OUTSIDE, variants=[0, 9])
    with pytest.raises(DataError, match="different columns of scores, got 1, 1"):
        miagym.score(members=INSIDE, nonmembers=OUTSIDE, variants=[1, 1])


def test_a_labelled_file_is_no_side(tmp_path: Path) -> None:
    for file in "ab":
        pd.DataFrame({"score": [1.0, 2.0], "member": [1, 0]}).to_csv(tmp_path / file)
    with pytest.raises(DataError, match="holds both sides by itself; give it alone"):
        run("--members", str(tmp_path / "a"), "--nonmembers", str(tmp_path / "b"))


def test_a_first_line_of_whole_numbers_is_asked_about(tmp_path: Path) -> None:
    for file in "ab":
        (tmp_path / file).write_text("3\n5\n9\n", encoding="utf-8")
    with pytest.raises(DataError, match="its first line may hold names or scores"):
        run("--members", str(tmp_path / "a"), "--nonmembers", str(tmp_path / "b"))
