"""Calibrations that are kept in a folder: the same answers, without the pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import miagym
from miagym.checking.sources.kept import ABOUT, KeptCalibration
from miagym.cli import app
from miagym.data.dataset import TEST
from miagym.errors import DataError, MiagymError, SettingsError, TargetError
from miagym.evaluation.signals import Signals
from miagym.targets.registry import load_target, targets_folder
from miagym.training.record import TrainingRecord

OPTIONS = {"attacks": "sima+reference,pia+reference"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kept") / "calibration"
    made = miagym.calibrate("clipart-overfit", out=out, limit=40, **OPTIONS)
    assert (made.record.members, made.record.nonmembers) == (40, 40)
    return out


def a_picture() -> tuple[bytes, str]:
    data = miagym.load_data("clipart-tune")
    row = data.rows(TEST, 0, 1)[0]
    return data.pictures[int(row)], data.captions[row]


def test_it_answers_as_the_pictures_that_it_was_made_of(folder: Path) -> None:
    picture, caption = a_picture()
    by_pictures = miagym.check(
        picture, "clipart-overfit", caption=caption, calibration_limit=40, **OPTIONS
    )
    kept = miagym.check(picture, "clipart-overfit", caption=caption, calibration=folder)
    assert kept.as_json() == by_pictures.as_json()
    bare = miagym.check(picture, "clipart-overfit", calibration=folder)
    assert not bare.answers[0].captioned and bare.answers[0].p_value is not None


def test_it_holds_no_picture_and_no_caption(folder: Path) -> None:
    data = miagym.load_data("clipart-tune")
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert len(content) < 100_000
    assert not any(c.encode() in content for c in data.captions if len(c) > 8)


def test_another_model_is_refused(folder: Path) -> None:
    picture, _ = a_picture()
    for target in ("clipart-realistic", "clipart-overfit@40"):
        with pytest.raises(TargetError, match=r"was calibrated with the target clipart-overfit"):
            miagym.check(picture, target, calibration=folder)
    with pytest.raises(TargetError, match="was calibrated with the reference clipart-realistic"):
        miagym.check(picture, "clipart-overfit", reference="clipart-null", calibration=folder)
    with pytest.raises(
        TargetError, match=r"reference clipart-realistic \(.*\), and no reference is given"
    ):
        miagym.check(picture, "clipart-overfit", reference=None, calibration=folder)
    bare = KeptCalibration.open(folder)
    none = {"reference": None, "reference_fingerprint": None}
    bare = replace(bare, record=bare.record.model_copy(update=none))
    with pytest.raises(TargetError, match="calibrated without a reference, and clipart-null is"):
        bare.check(Signals(load_target("clipart-overfit"), {}, load_target("clipart-null")))
    half = {"dtype": "bfloat16", "calibration": folder}
    with pytest.raises(TargetError, match="the same in another precision"):
        miagym.check(picture, "clipart-overfit", **half)


def test_what_it_has_decided_is_not_asked_again(folder: Path) -> None:
    others = ({"attacks": "pia"}, {"data": "clipart-tune"}, {"calibration_limit": 50})
    more = ({"member_value": 0}, {"seed": 0}, {"seed": 5}, {"access": "grey"})
    for other in (*others, *more):
        with pytest.raises(SettingsError, match=f"{next(iter(other))}.*leave it away"):
            miagym.check(a_picture()[0], "clipart-overfit", calibration=folder, **other)


def test_unused_pictures_are_compared_with_nothing_else(folder: Path) -> None:
    picture = a_picture()[0]
    for other in ({"calibration": folder}, {"data": "clipart-tune"}, {"member_value": 0}):
        with pytest.raises(SettingsError, match=f"{next(iter(other))}.*by known members"):
            miagym.check(picture, "clipart-overfit", unused=[picture], **other)


def put_on_record(data: miagym.Dataset, folder: Path) -> str:
    """An embedded target in a folder of its own, on record as trained on these data's members."""
    shutil.copytree(
        targets_folder() / "clipart-overfit", folder, ignore=shutil.ignore_patterns("checkpoints")
    )
    TrainingRecord(
        base="clipart-realistic",
        base_fingerprint="",
        data=data.name,
        data_digest=data.digest,
        rows=tuple(np.flatnonzero(data.member).tolist()),
        epochs=1,
        checkpoints=(),
        batch_size=1,
        learning_rate=1e-4,
        seed=0,
        precision="float32",
    ).write(folder)
    return str(folder)


def test_a_training_names_the_data_that_are_missing(tmp_path: Path) -> None:
    target = put_on_record(miagym.load_data("clipart-tune"), tmp_path / "mine")
    for ask in (partial(miagym.check, a_picture()[0]), miagym.evaluate):
        with pytest.raises(DataError, match=r"trained on clipart-tune.*data='clipart-tune'\.$"):
            ask(target)


@pytest.mark.slow
def test_labels_that_a_training_contradicts_are_said_in_every_answer(tmp_path: Path) -> None:
    data = miagym.load_data("clipart-tune")
    target = put_on_record(data, tmp_path / "mine")
    turned = replace(data, member=~data.member)
    options = {"attacks": "sima", "reference": None}
    picture, other = a_picture()[0], data.pictures[int(data.rows(TEST, 0, 2)[-1])]
    for given, doubted in ((data, False), (turned, True)):
        out = tmp_path / f"kept-{doubted}"
        made = miagym.calibrate(target, given, out=out, limit=40, **options)
        one = miagym.check(picture, target, data=given, calibration_limit=40, **options)
        kept = miagym.check(picture, target, calibration=out, reference=None)
        both = miagym.check([picture, other], target, calibration=out, reference=None)
        told = [made.as_json(), one.as_json(), kept.as_json(), both.as_json()["set"]]
        for each in told:
            assert ("It was trained on clipart-tune" in str(each["doubts"])) == doubted
        for each in (made, one, kept, both):
            assert ("Doubtful labels of the calibration pictures: It" in str(each)) == doubted
        for each in (one, both):
            may = " ".join(each.evidence().may)
            assert ("labels of the calibration pictures are in doubt" in may) == doubted


def spoil_record(folder: Path) -> None:
    (folder / ABOUT).write_text("{}", encoding="utf-8")


def spoil_scores(folder: Path) -> None:
    path = folder / "without-captions.safetensors"
    path.write_bytes(path.read_bytes()[:-8] + b"12345678")


def of_another_version(folder: Path) -> None:
    record = json.loads((folder / ABOUT).read_text(encoding="utf-8")) | {"version": "0.1.0"}
    (folder / ABOUT).write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_record, "holds no calibration"),
        (spoil_scores, "is not what was written"),
        (of_another_version, r"was calibrated by miagym 0\.1\.0"),
        (shutil.rmtree, "holds no calibration"),
    ],
)
def test_a_spoilt_folder_is_refused(spoil, says: str, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    spoil(copy)
    with pytest.raises(DataError, match=says):
        miagym.check(a_picture()[0], "clipart-overfit", calibration=copy)


def test_a_folder_is_new_or_left_alone(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is there already"):
        miagym.calibrate("clipart-overfit", out=folder, limit=40)
    with pytest.raises(MiagymError):
        miagym.calibrate("clipart-overfit", out=tmp_path / "few", limit=3)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_command_says_how_to_go_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    options = ["--target", "clipart-overfit", "--attacks", "sima+reference", "--limit", "40"]
    said = CliRunner().invoke(app, ["calibrate", *options, "--out", str(out)])
    assert said.exit_code == 0, said.output
    advice = said.stdout.partition("A check by it: miagym ")[2].split()
    picture = tmp_path / "a.webp"
    picture.write_bytes(a_picture()[0])
    ran = CliRunner().invoke(app, [str(picture) if w == "PICTURE" else w for w in advice])
    assert ran.exit_code == 0 and "p = " in ran.output, ran.output
