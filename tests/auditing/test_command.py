"""`miagym audit` on files as people have them, good and bad."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from miagym.cli.audit import audit
from miagym.embedded import art
from miagym.errors import MiagymError, on_the_command_line
from tests.tiers import mostly_slow

KEYS = {
    "schema",
    "data",
    "verdict",
    "why",
    "n_members",
    "n_nonmembers",
    "blind",
    "shift",
    "cues",
    "duplicates",
    "unreadable",
    "warnings",
    "seed",
}
app = typer.Typer()
app.command()(audit)


@pytest.fixture(autouse=True)
def typed() -> Iterator[None]:
    """The command alone is called here, without the rest of the command line around it."""
    with on_the_command_line():
        yield


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def as_json(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def refused(path: Path, *arguments: object) -> str:
    result = run(path, *arguments)
    assert isinstance(result.exception, MiagymError), result.exception
    message = str(result.exception)
    assert len(message) < 500
    return message


def captions(n: int) -> list[str]:
    return art.table()["caption"].slice(0, n).to_pylist()


def write_csv(path: Path, rows: list[tuple[str, object]], heading: str = "caption,member") -> Path:
    quoted = ('"' + text.replace('"', '""') + f'",{member}' for text, member in rows)
    path.write_text("\n".join([heading, *quoted]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "words", [("true", "false"), ("1", "0"), ("yes", "No"), ("member", "nonmember")]
)
def test_captions_alone_in_a_csv(tmp_path: Path, words: tuple[str, str]) -> None:
    rows = [(text, words[i % 2]) for i, text in enumerate(captions(300))]
    found = as_json(write_csv(tmp_path / "c.csv", rows))
    assert set(found) == KEYS and found["schema"] == 1
    assert (found["n_members"], found["n_nonmembers"]) == (150, 150)
    row = found["blind"][0]
    assert [row["view"] for row in found["blind"]] == ["captions", "repeated captions"]
    assert row["auc_ci"][0] <= row["auc"] <= row["auc_ci"][1]
    assert set(row["tpr_at_fpr"]["0.01"]) == {"tpr", "ci", "fpr"}
    assert found["verdict"] in ("fair", "too small")
    assert {"cue", "view", "kind", "members", "nonmembers", "auc", "auc_ci", "p"} == set(
        found["cues"][0]
    )


def test_limit_seed_and_order(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "c.csv", [(t, i % 2) for i, t in enumerate(captions(200))])
    found = as_json(path, "--limit", 30, "--seed", 4)
    assert (found["n_members"], found["n_nonmembers"], found["seed"]) == (30, 30, 4)
    assert found == as_json(path, "--limit", 30, "--seed", 4)


def test_a_verdict_comes_first_for_people(tmp_path: Path) -> None:
    rows = [(t.upper() if i % 2 else t, i % 2) for i, t in enumerate(captions(300))]
    result = run(write_csv(tmp_path / "shouting.csv", rows))
    assert result.exit_code == 0
    assert result.stdout.index("shouting is shifted") < result.stdout.index("TPR at 1 % FPR")
    assert "capital letters in the caption" in result.stdout


def test_broken_pictures_are_skipped_counted_and_told(tmp_path: Path) -> None:
    table = art.table().slice(0, 240)
    pictures = table["image"].to_pylist()
    member = [i % 2 == 0 for i in range(240)]
    for row in (0, 2, 4, 7):
        pictures[row] = b"this is no picture"
    pictures[6] = pictures[6][:40]
    pictures[8] = None
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"image": pa.array(pictures, pa.binary()), "member": member}), path)
    found = as_json(path)
    assert found["unreadable"]["members"] == 5 and found["unreadable"]["nonmembers"] == 1
    assert found["unreadable"]["examples"][0].startswith("row 0: ")
    assert {row["view"]: row["n_members"] for row in found["blind"]} == {
        "files": 120,
        "pixels": 115,
        "all": 120,
    }
    told = run(path).stdout
    assert "5 of 120 members, 1 of 120 non-members" in told


def test_near_duplicates_in_a_folder_are_told_by_file(tmp_path: Path) -> None:
    pictures = art.table()["image"].slice(0, 24).to_pylist()
    for i, picture in enumerate(pictures):
        side = tmp_path / "mine" / ("members" if i % 2 else "nonmembers")
        side.mkdir(parents=True, exist_ok=True)
        (side / f"{i}.png").write_bytes(picture)
    (tmp_path / "mine" / "nonmembers" / "copy.png").write_bytes(pictures[3])
    told, found = run(tmp_path / "mine").stdout, as_json(tmp_path / "mine")
    assert "members/3.png and nonmembers/copy.png" in told and "(rows" not in told
    duplicates = found["duplicates"][0]
    assert ["members/3.png", "nonmembers/copy.png"] in duplicates["files"]
    assert len(duplicates["files"]) == len(duplicates["examples"])


def test_rotten_links_on_one_side_are_a_shift(tmp_path: Path) -> None:
    pictures = art.table()["image"].slice(0, 400).to_pylist()
    member = [i % 2 == 0 for i in range(400)]
    pictures = [
        b"" if m and i % 3 else data
        for i, (m, data) in enumerate(zip(member, pictures, strict=True))
    ]
    path = tmp_path / "rotten.parquet"
    pq.write_table(pa.table({"image": pictures, "member": member}), path)
    found = as_json(path)
    assert found["verdict"] == "shifted"
    cues = {cue["cue"] for cue in found["cues"][:2]}
    assert cues & {"the picture cannot be read", "file size in bytes"}


@pytest.mark.parametrize("suffix", mostly_slow(["parquet", "csv"], quick=["parquet"]))
def test_a_matched_subset_has_both_sides_alike(tmp_path: Path, suffix: str) -> None:
    texts = captions(800)
    texts = [t.replace(",", "") if i % 4 == 0 else t for i, t in enumerate(texts)]
    path = write_csv(tmp_path / "c.csv", [(t, int(i % 2 == 0)) for i, t in enumerate(texts)])
    out = tmp_path / f"matched.{suffix}"
    found = as_json(path, "--matched", out)
    again = found["matched"]
    assert found["verdict"] == "shifted"
    assert 0 < again["n_members"] == again["n_nonmembers"] < 400
    assert again["blind"][0]["auc"] < found["blind"][0]["auc"] - 0.1
    once_more = as_json(out)
    assert once_more["n_members"] == again["n_members"]
    assert "optimistic" in run(path, "--matched", tmp_path / f"again.{suffix}").stdout


def test_a_matched_subset_keeps_pictures(tmp_path: Path) -> None:
    out = tmp_path / "m.parquet"
    found = as_json("clipart-tune", "--limit", 60, "--matched", out)
    assert as_json(out)["n_members"] == found["matched"]["n_members"]
    assert "a CSV holds no pictures" in refused(Path("clipart-tune"), "--matched", "m.csv")


def test_captions_may_be_empty_odd_or_huge(tmp_path: Path) -> None:
    odd = [
        "",
        " ",
        "42",
        "3.5",
        "nan",
        "NULL",
        "ünïcode 漢字",
        "a\nb",
        '"',
        "x" * 300_000,
        "😀",
        ",",
    ]
    rows = [(odd[i % len(odd)] if i % 5 == 0 else t, i % 2) for i, t in enumerate(captions(240))]
    found = as_json(write_csv(tmp_path / "odd.csv", rows))
    assert found["n_members"] == 120


def test_captions_of_nothing_but_punctuation(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [("!?.,;:"[: rng.integers(1, 6)], int(rng.random() < 0.5)) for _ in range(200)]
    assert as_json(write_csv(tmp_path / "p.csv", rows))["verdict"] in ("fair", "too small")


def test_bad_tables_end_in_a_sentence(tmp_path: Path) -> None:
    good = [(t, i % 2) for i, t in enumerate(captions(20))]
    csv = tmp_path / "x.csv"
    assert "only members" in refused(write_csv(csv, [(t, 1) for t, _ in good]))
    assert "only non-members" in refused(write_csv(csv, [(t, 0) for t, _ in good]))
    assert "no rows" in refused(write_csv(csv, []))
    assert "member" in refused(write_csv(csv, good, "caption,label"))
    assert "neither captions nor pictures" in refused(write_csv(csv, good, "title,member"))
    assert "'maybe'" in refused(write_csv(csv, [*good, ("a", "maybe")]))
    assert "member" in refused(write_csv(csv, [*good, ("a", "")]))
    assert "'member'" in refused(write_csv(csv, good, "member,member"))
    assert "look the same" in refused(write_csv(csv, [("same", i % 2) for i in range(40)]))
    csv.write_bytes(b"caption,member\ncaf\xe9,1\n")
    assert "UTF-8" in refused(csv)
    csv.write_bytes(b"")
    assert str(csv) in refused(csv)
    broken = tmp_path / "x.parquet"
    broken.write_bytes(b"PAR1 and no more")
    assert str(broken) in refused(broken)
    assert "clipart" in refused(tmp_path / "nowhere.csv")
    assert ".parquet" in refused(write_csv(csv, good), "--matched", tmp_path / "m.txt")


def test_nan_labels_end_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nan.parquet"
    pq.write_table(pa.table({"caption": ["a", "b"], "member": [1.0, float("nan")]}), path)
    assert "member" in refused(path)


def test_a_few_rows_are_an_answer_not_an_error(tmp_path: Path) -> None:
    found = as_json(write_csv(tmp_path / "few.csv", [("a", 1), ("b", 0), ("c", 1)]))
    assert found["verdict"] == "too small" and found["blind"] == []
    message = refused(tmp_path / "few.csv", "--matched", tmp_path / "m.csv")
    assert "too small" in message and not (tmp_path / "m.csv").exists()
