"""Class numbers are read by the names that the file carries, by all readers; doubts are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import miagym
from miagym.app.server.sandboxed_table import read_table
from miagym.cli import app
from miagym.data.registry import open_source
from miagym.errors import DataError
from miagym.metrics.auc import auc
from miagym.scorefile.reading.columns import Columns
from tests.tiers import mostly_slow

N = 40
MEMBER = np.arange(N) % 2 == 0
SCORE = np.random.default_rng(3).normal(size=N) + 2 * MEMBER
AUC = auc(SCORE[MEMBER], SCORE[~MEMBER])


def class_label(path: Path, names: list[str], values: Any = None, **columns: Any) -> Path:
    """As `datasets` writes a `ClassLabel` to parquet; by default, 0 is a member."""
    columns = {"member": (~MEMBER).astype(int) if values is None else values, **columns}
    table = pa.table({"caption": [f"c{i}" for i in range(N)], "score": SCORE, **columns})
    features = {"member": {"names": names, "_type": "ClassLabel"}}
    about = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    pq.write_table(table.replace_schema_metadata(about), path)
    return path


NAMES = (["member", "nonmember"], ["1", "0"], ["yes", "no"])


@pytest.mark.parametrize("names", mostly_slow(NAMES, quick=NAMES[:1]))
def test_names_decide_for_every_reader(names: list[str], tmp_path: Path) -> None:
    path = class_label(tmp_path / "a.parquet", names)
    assert (open_source(str(path)).member == MEMBER).all()
    assert miagym.score(path)["score"].auc == AUC
    assert (read_table(path)["member"].to_numpy() == MEMBER).all()


def test_names_decide_for_the_hub_s_format(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["member", "nonmember"])
    columns = {"caption": ["c"] * N, "member": (~MEMBER).astype(int).tolist()}
    one = datasets.Dataset.from_dict(columns).cast_column("member", names)
    one.save_to_disk(tmp_path / "saved")
    one.to_parquet(tmp_path / "a.parquet")
    for name in ("saved", "a.parquet"):
        assert (open_source(str(tmp_path / name)).member == MEMBER).all()


def test_categories_are_read_by_name(tmp_path: Path) -> None:
    words = pd.Categorical(np.where(MEMBER, "member", "nonmember"))
    frame = pd.DataFrame({"caption": pd.Categorical(["c"] * N), "score": SCORE, "member": words})
    frame.to_parquet(tmp_path / "a.parquet")
    assert (open_source(str(tmp_path / "a.parquet")).member == MEMBER).all()
    for scores in (tmp_path / "a.parquet", frame):
        assert miagym.score(scores)["score"].auc == AUC


@pytest.mark.parametrize(
    ("names", "values", "why"),
    [
        (["train", "test"], None, "has '0', which the file names 'train'"),
        (["nonmember", "member"], [0, 1, 2, 1] * 10, r"has '2'"),
        (["nonmember", "member"], [0, 1, -1, 1] * 10, r"has '-1'"),
        (["nonmember", "member"], ["0", "1"] * 20, r"has '0'"),
        (["member", "nonmember"], MEMBER, "has 'True'"),
    ],
)
def test_names_and_values_that_contradict_are_refused(
    names: list[str], values: Any, why: str, tmp_path: Path
) -> None:
    path = class_label(tmp_path / "a.parquet", names, values)
    with pytest.raises(DataError, match=why):
        open_source(str(path))
    with pytest.raises(DataError, match=why) as refusal:
        miagym.score(path)
    assert "(member_value=...)" in str(refusal.value) and "\n" not in str(refusal.value)


def test_two_columns_of_labels_may_not_contradict(tmp_path: Path) -> None:
    columns = {"caption": ["c"] * N, "score": SCORE, "member": MEMBER}
    for name, other, differ in (("is_member", MEMBER, 0), ("Membership", ~MEMBER, N)):
        pq.write_table(pa.table({**columns, name: other}), tmp_path / "a.parquet")
        for read in (open_source, miagym.score):
            if not differ:
                read(str(tmp_path / "a.parquet"))
                continue
            with pytest.raises(DataError, match=f"`member` and `{name}` differ in 40 of 40 rows"):
                read(str(tmp_path / "a.parquet"))
    miagym.score(tmp_path / "a.parquet", columns=Columns(member="Membership"))


def test_splits_and_a_column_of_labels_may_not_contradict(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    for labels, fails in (([True, False], False), ([False, False], True)):
        sides = {
            side: datasets.Dataset.from_dict({"caption": ["c"] * 5, "member": [label] * 5})
            for side, label in zip(("members", "nonmembers"), labels, strict=True)
        }
        path = tmp_path / f"saved {fails}"
        datasets.DatasetDict(sides).save_to_disk(path)
        if not fails:
            assert open_source(str(path)).member.sum() == 5
            continue
        with pytest.raises(DataError, match="the splits 'members' and 'nonmembers' and `member`"):
            open_source(str(path))


def zero_is_member(path: Path, member: Any, **scores: Any) -> Path:
    pd.DataFrame({**(scores or {"score": SCORE}), "member": member}).to_csv(path, index=False)
    return path


def test_whoever_knows_says_what_means_member(tmp_path: Path) -> None:
    path = zero_is_member(tmp_path / "a.csv", np.where(MEMBER, 0, 1))
    for value in ("0", 0, 0.0):
        assert miagym.score(path, member_value=value)["score"].auc == AUC
    said = CliRunner().invoke(app, ["score", str(path), "--member-value", "0", "--json"])
    assert json.loads(said.stdout)["rows"][0]["auc"] == AUC
    named = zero_is_member(tmp_path / "b.csv", np.where(MEMBER, "train", "held out"))
    assert miagym.score(named, member_value="Train")["score"].auc == AUC
    classes = class_label(tmp_path / "c.parquet", ["train", "test"])
    assert miagym.score(classes, member_value="train")["score"].auc == AUC


@pytest.mark.parametrize(
    ("labels", "value", "why"),
    [
        ([0, 1], "2", r"'0', '1' \(all there is\) as `member`; expected '2' for members"),
        ([0, 1, 2, 1], "0", "expected '0' and one other value"),
        ([0, None], "0", "no value"),
    ],
)
def test_what_means_member_has_to_be_there(
    labels: list[Any], value: str, why: str, tmp_path: Path
) -> None:
    path = zero_is_member(tmp_path / "a.csv", (labels * N)[:N])
    if None in labels:
        path.write_text(path.read_text().replace("0.0", "0"))
        table = pa.table({"score": SCORE, "member": pa.array((labels * N)[:N])})
        pq.write_table(table, path)
    with pytest.raises(DataError, match=why):
        miagym.score(path, member_value=value)


def warning(path: Path, *names: str, lower: bool = False) -> str:
    found = miagym.score(path, columns=Columns(score=names or ("score",)), lower_is_member=lower)
    return next(w.message for w in found.sheet.warnings if w.kind == "orientation")


def test_a_wrong_sign_is_told_from_swapped_labels(tmp_path: Path) -> None:
    swapped = np.where(MEMBER, 0, 1)
    path = zero_is_member(tmp_path / "a.csv", swapped)
    said = warning(path)
    assert "say lower_is_member=True; if the labels are swapped" in said
    assert "which now take '1' for a member, say member_value='0'" in said and "Nothing in" in said
    both = zero_is_member(tmp_path / "b.csv", swapped, score=SCORE, other=SCORE**3)
    assert "So does other: several at once speak for swapped labels" in warning(
        both, "score", "other"
    )
    mixed = zero_is_member(tmp_path / "c.csv", 1 - swapped, score=SCORE, bad=-SCORE)
    assert "the labels seem right and the sign of this score wrong" in warning(
        mixed, "score", "bad"
    )
    words = zero_is_member(tmp_path / "d.csv", np.where(MEMBER, "member", "no"), score=-SCORE)
    assert "The label 'member' is no number" in warning(words)
    loss = zero_is_member(tmp_path / "e.csv", 1 - swapped, loss=-SCORE)
    assert "Its name (loss) speaks for low scores" in warning(loss, "loss")
    plain = zero_is_member(tmp_path / "f.csv", 1 - swapped)
    assert "leave lower_is_member=True out" in warning(plain, lower=True)
