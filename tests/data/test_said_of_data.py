"""What readers saw besides the rows is said by every command: to people, and in JSON."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import miagym
from miagym.cli import app
from miagym.data.registry import load_data
from miagym.data.seen import Seen
from miagym.errors import DataError
from miagym.targets.dummy import DummyTarget
from tests.data.pictures.pictures_beside import encoded, folder, no_caption, txt

LOUD = "of 30 members have captions and none of 30 non-members"


def called(*arguments: object) -> Any:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def one_sided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = folder(tmp_path_factory.mktemp("data") / "mine", no_caption, n=30)
    for picture in (root / "members").glob("*.png"):
        txt(picture, f"drawing {picture.stem}")
    (root / "members" / "._000.png").write_bytes(b"x")
    (root / "nonmembers" / "a.heic").write_bytes(b"x")
    return root


def test_the_audit_warns_of_captions_on_one_side(one_sided: Path) -> None:
    assert LOUD in called("audit", one_sided)
    (loud,) = json.loads(called("audit", one_sided, "--json"))["warnings"]
    assert LOUD in loud
    assert LOUD in str(miagym.audit(load_data(str(one_sided))))


def test_data_of_one_side_lack_the_other_and_not_its_captions(tmp_path: Path) -> None:
    rows = [["image", "member", "caption"]]
    for i in range(6):
        (tmp_path / f"{i}.png").write_bytes(encoded(i))
        rows.append([f"{i}.png", "1", f"drawing {i}"])
    with (tmp_path / "one.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    (said,) = json.loads(called("data", "show", tmp_path / "one.csv", "--json"))["warnings"]
    assert said.startswith("There are 6 members and no non-members") and LOUD not in said


def test_an_evaluation_says_what_it_says_in_json_too(
    one_sided: Path, dummy: DummyTarget, tmp_path: Path
) -> None:
    run = miagym.evaluate(dummy, str(one_sided), "loss", out=tmp_path / "run")
    (seen,) = run.as_json()["run"]["data"]
    assert LOUD in seen["warnings"][0]
    passed_over = {"members": {"hidden": 1}, "nonmembers": {".heic is not read": 1}}
    assert seen["passed_over"] == passed_over
    assert seen["captions_from"]["members"] == {"NAME.txt": 30}
    words = "passed over 1 × hidden among the members, 1 × .heic is not read among the non-members"
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for text in (str(run), report):
        assert LOUD in text and words in text
    assert LOUD in run.as_json()["audit"][0]["warnings"][0]


def test_what_was_seen_is_told_without_a_folder(dummy: DummyTarget, one_sided: Path) -> None:
    told: list[str] = []
    data = replace(load_data(str(one_sided)), seen=Seen(notes=("odd",)))
    miagym.evaluate(dummy, data, "loss", tell=told.append)
    assert any(LOUD in sentence for sentence in told) and "mine: odd" in told


@pytest.fixture
def zero_is_member(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir()
    rows = [["image", "member", "caption"]]
    for i in range(24):
        (tmp_path / "p" / f"{i}.png").write_bytes(encoded(i))
        rows.append([f"p/{i}.png", str(i % 3 // 2), f"drawing {i}"])
    with (tmp_path / "zero.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path / "zero.csv"


def test_a_table_in_which_zero_means_member(zero_is_member: Path) -> None:
    found = json.loads(called("data", "show", zero_is_member, "--member-value", "0", "--json"))
    assert sum(found["members"][part] for part in ("calibration", "test")) == 16
    audit = json.loads(called("audit", zero_is_member, "--member-value", "0", "--json"))
    assert (audit["n_members"], audit["n_nonmembers"]) == (16, 8)
    swapped = json.loads(called("audit", zero_is_member, "--json"))
    assert (swapped["n_members"], swapped["n_nonmembers"]) == (8, 16)
    ours = load_data(str(zero_is_member), member_value=0)
    assert (ours.member == (np.arange(24) % 3 // 2 == 0)).all()


def test_zero_means_member_wherever_a_model_is_asked(
    zero_is_member: Path, dummy: DummyTarget, tmp_path: Path
) -> None:
    ours = load_data(str(zero_is_member), member_value=0)
    run = miagym.evaluate(dummy, str(zero_is_member), "loss", member_value=0, out=tmp_path / "run")
    assert run["loss"].auc == miagym.evaluate(dummy, ours, "loss")["loss"].auc
    assert run["loss"].n_members == (ours.member & (ours.part == "test")).sum()
    assert "member_value=0" in (tmp_path / "run" / "run.json").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="says by itself who is a member; leave it out"):
        miagym.evaluate("clipart-overfit", attacks="loss", member_value=0)
    with pytest.raises(DataError, match="says by itself who is a member; leave it out"):
        miagym.check(encoded(0), dummy, data=ours, member_value=0)


def test_zero_means_member_to_a_check(zero_is_member: Path, dummy: DummyTarget) -> None:
    """Few as they are, the refusal counts each side."""
    for value, sides in (("0", "5 and 3"), (None, "3 and 5")):
        with pytest.raises(DataError, match=f"zero gives {sides}"):
            miagym.check(encoded(0), dummy, data=str(zero_is_member), member_value=value)


def test_zero_means_member_to_a_training(zero_is_member: Path, tmp_path: Path) -> None:
    options = ("--from", "clipart-null", "--data", zero_is_member, "--member-value", "0")
    said = called("train", *options, "--epochs", 1, "--out", tmp_path / "t", "--json")
    assert "--member-value 0" in json.loads(said)["evaluate"]
    record = json.loads((tmp_path / "t" / "training.json").read_text(encoding="utf-8"))
    assert record["rows"] == [i for i in range(24) if i % 3 // 2 == 0]


@pytest.mark.parametrize("kind", ["hub", "saved"])
def test_zero_means_member_in_data_of_the_hub(kind: str, tmp_path: Path) -> None:
    import datasets

    rows = [{"image": {"bytes": encoded(i), "path": None}, "member": i % 3 // 2} for i in range(24)]
    made = datasets.Dataset.from_list(rows)
    if kind == "hub":
        made.to_parquet(tmp_path / "hub" / "all.parquet")
    else:
        made.save_to_disk(tmp_path / "saved")
    name = f"hf:{tmp_path}/hub" if kind == "hub" else str(tmp_path / "saved")
    assert load_data(name, member_value=0).member.sum() == 16
    assert load_data(name).member.sum() == 8


def test_two_splits_need_no_member_value(tmp_path: Path) -> None:
    import datasets

    side = datasets.Dataset.from_list([{"image": {"bytes": encoded(0), "path": None}}] * 3)
    datasets.DatasetDict({"members": side, "nonmembers": side}).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match=r"say who is a member; leave member_value=\.\.\. out"):
        load_data(str(tmp_path / "saved"), member_value=0)


def test_a_member_value_is_of_tables(one_sided: Path) -> None:
    for command in (("audit", one_sided), ("data", "show", "clipart")):
        with pytest.raises(DataError, match="says by itself who is a member; leave it out"):
            called(*command, "--member-value", "0")
    with pytest.raises(DataError, match="a Dataset has labels"):
        miagym.audit(load_data("clipart"), member_value=0)
