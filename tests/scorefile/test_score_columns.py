"""`miagym score` takes each column for what it says: numbers, attacks, units and captions."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from miagym.cli.score import score
from miagym.errors import DataError, on_the_command_line
from miagym.metrics.auc import auc

N = 240
RNG = np.random.default_rng(3)
MEMBER = np.arange(N) % 2 == 0
SCORE = RNG.normal(size=N) + MEMBER
OTHER = RNG.normal(size=N) + 2 * MEMBER

app = typer.Typer()
app.command()(score)


@pytest.fixture(autouse=True)
def typed() -> Iterator[None]:
    """The command alone is called here, without the rest of the command line around it."""
    with on_the_command_line():
        yield


def found(path: Path, *options: str) -> dict[str, Any]:
    """What `score FILE ... --json` says; what goes wrong is raised."""
    result = CliRunner().invoke(app, [str(path), "--json", *options])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def table(path: Path, **columns: Any) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return path


def messages(sheet: dict[str, Any], kind: str) -> list[str]:
    return [warning["message"] for warning in sheet["warnings"] if warning["kind"] == kind]


# Numbers, however they are written


def run_columns(**other: Any) -> dict[str, Any]:
    """An attack at two budgets, as in a run folder: 16 counts, and 8 comes first as a word."""
    columns = {
        "target": ["t"] * 2 * N,
        "data": ["d"] * 2 * N,
        "attack": ["pia"] * 2 * N,
        "variant": ["v"] * 2 * N,
        "part": ["test"] * 2 * N,
        "candidate": [f"c{i}" for i in range(N)] * 2,
        "member": MEMBER.tolist() * 2,
        "budget": [8] * N + [16] * N,
        "score": [*SCORE.tolist(), *OTHER.tolist()],
        "queries": [7] * N + [12] * N,
        "unet_rows": [14] * N + [24] * N,
    }
    return {**columns, **other}


def parquet(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_a_csv_copy_of_a_run_s_scores_gives_the_same_numbers(tmp_path: Path) -> None:
    of_run = found(parquet(tmp_path / "scores.parquet", run_columns()))
    (row,) = of_run["rows"]
    assert row["auc"] == auc(OTHER[MEMBER], OTHER[~MEMBER])
    assert (row["queries"], row["unet_rows"], row["backward_rows"]) == (12, 24, None)
    assert found(table(tmp_path / "copy.csv", **run_columns())) == of_run


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("budget", [None] * 2 * N, "480 of 480 values of `budget` are no finite numbers"),
        ("budget", [[8]] * 2 * N, "`budget` holds list"),
        ("queries", [*[7.0] * (2 * N - 1), None], "1 of 480 values of `queries` .*row 480"),
        ("queries", ["few"] * 2 * N, "'few' as `queries`; expected a number"),
    ],
)
def test_budgets_and_queries_that_are_no_numbers_are_refused(
    column: str, values: list[Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=expected):
        found(parquet(tmp_path / "scores.parquet", run_columns(**{column: values})))


DATES = np.arange(4).astype("datetime64[s]")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (np.array(["a", "b"]), "'a' as `members`; expected a number"),
        (DATES, "`members` holds timestamp"),
    ],
)
def test_arrays_of_a_side_that_are_no_numbers_are_refused(
    members: np.ndarray, expected: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "sides.npz", members=members, nonmembers=SCORE)
    with pytest.raises(DataError, match=expected):
        found(tmp_path / "sides.npz")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["1.5", "a"], "row 2 of the data has 'a' as `members`"),
        ([[1], [2]], "`members` holds list"),
        ([], "has 2 non-members and no members"),
    ],
)
def test_lists_of_a_side_that_are_no_numbers_are_refused(
    members: list[Any], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "sides.json"
    path.write_text(json.dumps({"members": members, "nonmembers": [1, 2]}))
    with pytest.raises(DataError, match=expected):
        found(path)


def test_large_whole_numbers_of_a_side_are_scores(tmp_path: Path) -> None:
    path = tmp_path / "sides.json"
    path.write_text(json.dumps({"members": [2**60 + 1, 3], "nonmembers": ["1", "2.5"]}))
    assert found(path)["rows"][0]["auc"] == 1


CLOSE = 2**60 + np.arange(N)
"""As float64 they would be tied, all of them."""
RANKED = RNG.permutation(N)


@pytest.mark.parametrize("kind", ["parquet", "texts", "json", "two sides", "unsigned"])
def test_large_whole_numbers_are_not_rounded_into_ties(kind: str, tmp_path: Path) -> None:
    path, score = tmp_path / "scores", CLOSE[RANKED]
    if kind == "parquet":
        parquet(path, {"score": score, "member": MEMBER})
    elif kind == "unsigned":
        parquet(path, {"score": score.astype(np.uint64) + 2**63, "member": MEMBER})
    elif kind == "texts":
        table(path, score=score, member=MEMBER.astype(int))
    elif kind == "json":
        path.write_text(json.dumps({"score": score.tolist(), "member": MEMBER.tolist()}))
    else:
        with path.open("wb") as file:
            np.savez(file, members=score[MEMBER], nonmembers=score[~MEMBER])
    sheet = found(path)
    assert sheet["rows"][0]["auc"] == auc(RANKED[MEMBER], RANKED[~MEMBER])
    assert not messages(sheet, "constant")


def test_whole_numbers_that_would_be_tied_all_the_same_are_refused(tmp_path: Path) -> None:
    columns = {"score": [-(2**62), *CLOSE.tolist()], "member": [False, *MEMBER.tolist()]}
    path = parquet(tmp_path / "far.parquet", columns)
    with pytest.raises(DataError, match="`score` holds whole numbers beyond 2\\^53"):
        found(path)
    np.savez(tmp_path / "sides.npz", members=CLOSE, nonmembers=SCORE)
    with pytest.raises(DataError, match="`members` holds whole numbers beyond 2\\^53"):
        found(tmp_path / "sides.npz")


# Attacks below each other, and columns of scores side by side


@pytest.mark.parametrize("option", [(), ("--attack", "attack")])
def test_each_attack_is_scored_by_each_column(option: tuple[str, ...], tmp_path: Path) -> None:
    by_attack = {"pia": (SCORE, OTHER), "loss": (-SCORE, OTHER**2)}
    path = table(
        tmp_path / "both.csv",
        attack=np.repeat(list(by_attack), N),
        member=np.tile(MEMBER.astype(int), 2),
        score=np.concatenate([first for first, _ in by_attack.values()]),
        clipped=np.concatenate([second for _, second in by_attack.values()]),
    )
    rows = found(path, "--score", "score", "--score", "clipped", *option)["rows"]
    expected = {
        f"{attack} ({name})": auc(values[MEMBER], values[~MEMBER])
        for attack, columns in by_attack.items()
        for name, values in zip(("score", "clipped"), columns, strict=True)
    }
    assert {row["attack"]: row["auc"] for row in rows} == pytest.approx(expected)
    assert {row["n_members"] for row in rows} == {N // 2}
    without = found(path, "--score", "score", "--score", "clipped", "--attack", "-")["rows"]
    assert [(row["attack"], row["n_members"]) for row in without] == [("score", N), ("clipped", N)]


# Values as they stand in the file


@pytest.mark.parametrize(("sign", "option"), [(1, ()), (-1, ("--lower-is-member",))])
@pytest.mark.parametrize(("end", "which"), [(-20.5, "lowest"), (20.25, "highest"), (0, "lowest")])
def test_tied_scores_are_named_as_they_stand(
    end: float, which: str, sign: int, option: tuple[str, ...], tmp_path: Path
) -> None:
    away = 1 if which == "lowest" else -1
    values = end + away * np.abs(SCORE)
    values[:30] = end
    member = MEMBER if sign == 1 else ~MEMBER
    path = table(tmp_path / "tied.csv", score=values, member=member.astype(int))
    (said,) = messages(found(path, *option), "saturated")
    assert f"exactly {end}, the {which} of all" in said


def test_a_threshold_is_a_value_of_the_file(tmp_path: Path) -> None:
    part = np.where(np.arange(N) % 4 < 2, "val", "test")
    loss = 5 - SCORE
    path = table(tmp_path / "loss.csv", loss=loss, member=MEMBER.astype(int), part=part)
    (row,) = found(path, "--score", "loss", "--lower-is-member")["rows"]
    at, test = row["at_threshold"]["balanced"], part == "test"
    assert at["threshold"] in loss[~test]
    assert at["tpr"] == np.mean(loss[test & MEMBER] < at["threshold"])
    assert at["fpr"] == np.mean(loss[test & ~MEMBER] < at["threshold"])


# Captions that cannot tell


@pytest.mark.parametrize(
    ("caption", "why"), [("", "all are empty"), ("A cat.", "all are the same")]
)
def test_captions_that_tell_nothing_do_not_stop_the_scores(
    caption: str, why: str, tmp_path: Path
) -> None:
    columns = {"score": SCORE, "member": MEMBER.astype(int)}
    sheet = found(table(tmp_path / "c.csv", **columns, caption=[caption] * N))
    (row,) = sheet["rows"]
    assert row["auc"] == auc(SCORE[MEMBER], SCORE[~MEMBER])
    (said,) = messages(sheet, "no-blind-row")
    assert why in said


def test_too_few_captions_are_said_to_be_too_few(tmp_path: Path) -> None:
    captions = [f"A drawing of {i}" for i in range(12)]
    path = table(tmp_path / "c.csv", score=SCORE[:12], member=MEMBER[:12], caption=captions)
    (said,) = messages(found(path), "no-blind-row")
    assert "one side has 6 rows" in said and "takes 10" in said
    assert "give --caption" not in said


def test_minus_one_is_no_member(tmp_path: Path) -> None:
    labels = np.where(MEMBER, 1, -1)
    path = table(tmp_path / "scores.csv", score=SCORE, member=labels)
    with pytest.raises(DataError, match="has '-1' as `member`; expected true or false"):
        found(path)
