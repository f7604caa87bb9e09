"""`miagym.check`, `audit`, `score`, `Oracle`: objects in, typed results out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import miagym
from attacks import PIA, SimA
from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.errors import AccessDenied, DataError, UnknownName
from miagym.targets.dummy import DummyTarget
from tests.api.conftest import Looks, encoded


@pytest.fixture(scope="session")
def checkable(drawings: Candidates, member: np.ndarray) -> Dataset:
    """All drawings to calibrate by, but the first pair."""
    part = np.where(np.arange(len(member)) % 40 < 2, "test", "calibration")
    pictures = [encoded(image) for image in drawings.images]
    return Dataset("small", pictures, drawings.captions, member, part)


@pytest.fixture
def options(dummy: DummyTarget, checkable: Dataset, tmp_path: Path, monkeypatch) -> dict:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return {"target": dummy, "data": checkable, "attacks": [SimA(), PIA()], "alpha": 0.05}


def test_a_picture_of_any_kind_is_the_same_picture(
    options: dict, drawings: Candidates, tmp_path: Path
) -> None:
    data, caption = encoded(drawings.images[0]), drawings.captions[0]
    file = tmp_path / "drawing.png"
    file.write_bytes(data)
    kinds = [file, str(file), data, Image.fromarray(drawings.images[0])]
    found = [miagym.check(kind, caption=caption, **options) for kind in kinds]
    assert {check.answers[0].p_value for check in found} == {found[0].answers[0].p_value}
    assert found[0].verdict == "member-like"
    assert "member-like" in str(found[0]) and "member-like" in found[0]._repr_html_()
    assert found[0].as_json()["verdict"] == "member-like"


def test_several_pictures_are_a_set(options: dict, drawings: Candidates) -> None:
    pictures = [encoded(drawings.images[i]) for i in (0, 1, 40, 41)]
    found = miagym.check(pictures, **options)
    assert found.together is not None and len(found.answers) == 4
    assert found.verdict is found.together.verdict
    assert len(found.to_frame()) == 4
    assert [answer.name for answer in found.answers] == [f"picture {i}" for i in (1, 2, 3, 4)]


def test_a_set_of_which_one_can_be_read_is_none(options: dict, drawings: Candidates) -> None:
    found = miagym.check([b"no picture", encoded(drawings.images[0])], **options)
    assert "Not comparable as a set: only one picture could be read" in str(found)
    assert "Skipped: picture 1" in str(found) and "same one" not in str(found)


def test_a_check_needs_no_test_part(
    options: dict, checkable: Dataset, drawings: Candidates
) -> None:
    n, data = len(checkable), encoded(drawings.images[0])
    whole = replace(checkable, part=np.full(n, "calibration"))
    caption = drawings.captions[0]
    found = miagym.check(data, caption=caption, **options | {"data": whole})
    assert "This very picture is a member of the calibration part" in str(found)
    with pytest.raises(DataError, match=r"no members in its calibration part; a check needs both"):
        miagym.check(data, **options | {"data": replace(checkable, part=np.full(n, "test"))})


def test_what_cannot_be_checked_is_refused(options: dict, drawings: Candidates) -> None:
    data = encoded(drawings.images[0])
    for pictures, says in (
        (3, "Expected pictures as files, folders, bytes or Pillow images, got int"),
        ([], "No picture was given"),
        ({"a": [data, data]}, "a single picture behind each name, got 2"),
        ({}, "got dict"),
    ):
        with pytest.raises(DataError, match=says):
            miagym.check(pictures, **options)
    with pytest.raises(DataError, match="looks never looks at the target"):
        miagym.check(data, **options | {"attacks": Looks})
    with pytest.raises(DataError, match="is of one picture"):
        miagym.check([data, data], caption="a cat", **options)
    with pytest.raises(DataError, match="Nothing is known of what dummy was trained on"):
        miagym.check(data, **options | {"data": None})


def test_an_audit_of_a_data_set(small: Dataset) -> None:
    found = miagym.audit(small, limit=40)
    assert found.verdict in {"fair", "shifted", "too small"}
    assert found.why in str(found) and found.as_json()["data"] == "small"
    with pytest.raises(DataError, match=r"a file, a folder or a `miagym.Dataset`, got int"):
        miagym.audit(3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="not of a Dataset"):
        miagym.audit(small, matched="new.csv")


def columns() -> Mapping[str, np.ndarray]:
    member = np.arange(400) % 2 == 0
    return {"score": np.random.default_rng(0).normal(size=400) + member, "member": member}


def test_scores_in_memory_and_in_a_file_are_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame(dict(columns()))
    frame.to_csv(tmp_path / "scores.csv", index=False)
    found = [miagym.score(kind) for kind in (columns(), frame, tmp_path / "scores.csv")]
    assert {float(each["score"].auc) for each in found} == {float(found[0]["score"].auc)}
    assert "score" in str(found[0]) and r"\toprule" in found[0].to_latex()
    turned = miagym.score({**columns(), "score": -columns()["score"]}, lower_is_member=True)
    assert turned["score"].auc == found[0]["score"].auc
    with pytest.raises(UnknownName, match="No attack of these scores is called 'pia'"):
        found[0]["pia"]
    with pytest.raises(DataError, match="Expected a file of scores, a data frame, or columns"):
        miagym.score(3)


def test_blind_scores_are_declared() -> None:
    member = np.arange(400) % 2 == 0
    rng = np.random.default_rng(0)
    two = {"deblinder": rng.normal(size=400) + member, "looks": rng.normal(size=400)}
    given = {"member": member, **two}
    wide = miagym.score(given, columns=miagym_columns(two))
    assert not any(row.blind for row in wide.rows)
    declared = miagym.score(given, columns=miagym_columns(two), blind=["looks"])
    assert {row.attack for row in declared.rows if row.blind} == {"looks"}


def miagym_columns(names: Mapping[str, object]):  # type: ignore[no-untyped-def]
    from miagym.scorefile.reading.columns import Columns

    return Columns(score=tuple(names))


def test_an_oracle_by_name(drawings: Candidates) -> None:
    oracle = miagym.Oracle("clipart-overfit", access="black", queries=3)
    with pytest.raises(AccessDenied):
        oracle.encode(drawings[:1])
    assert miagym.Access.GREY > miagym.Access.BLACK
    with pytest.raises(UnknownName, match="clipart-overfit"):
        miagym.Oracle("clipart-overfitt", access="black")


def test_every_public_name_is_there_and_documented() -> None:
    for name in miagym.__all__:
        found = getattr(miagym, name)
        assert name == "__version__" or (found.__doc__ or "").strip(), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        miagym.nothing  # noqa: B018
