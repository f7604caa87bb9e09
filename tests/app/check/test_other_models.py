"""A page for models that whoever runs it names: by kept calibrations, or by known pictures."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

import miagym
from miagym.app.check.service import CheckService
from miagym.app.offers import Offer, distinct, loadable, named, offered
from miagym.errors import DataError, RunError, UnknownName
from tests.app.visiting import SERVING, served
from tests.data.pictures.pictures_beside import folder
from tests.targets import models

PROGRAM = """
import sys
from pathlib import Path
from miagym.app.offers import offered
from miagym.app.page import build
from miagym.app.site import Site
page = build(Site(offers=offered([Path({calibration!r})]), device="cpu"))
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the shape of Stable Diffusion 1.x, of 16 pixels."""
    return models.write(models.stable_diffusion, tmp_path_factory.mktemp("model") / "small-sd")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("data") / "mine", n=100)


@pytest.fixture(scope="module")
def calibration(small: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kept") / "small-sd"
    miagym.calibrate(str(small), str(pictures), out=out, reference=None)
    return out


def client_of(address: str) -> Client:
    return Client(address, verbose=False, analytics_enabled=False)


@pytest.mark.long
@pytest.mark.slow
def test_a_page_offers_what_was_calibrated(
    calibration: Path, pictures: Path, tmp_path: Path
) -> None:
    """The pictures are not needed any more, and no other model is offered."""
    program = tmp_path / "program.py"
    text = PROGRAM.format(calibration=str(calibration)) + SERVING
    program.write_text(text, encoding="utf-8")
    picture = next((pictures / "nonmembers").glob("*.png"))
    service = CheckService("cpu", tmp_path / "cache", offers=offered([calibration]))
    with served(program) as page, closing(client_of(page.address)) as client:
        found = client.predict(handle_file(picture), "", "small-sd", api_name="/check")
        with pytest.raises(Exception, match="Expected the inputs"):
            client.predict(handle_file(picture), "", "clipart-overfit", api_name="/check")
    assert found == json.loads(json.dumps(service.check(picture, "", "small-sd").as_json()))
    assert found["target"].endswith("small-sd") and found["data"] == "mine"
    with pytest.raises(UnknownName, match="small-sd"):
        service.check(picture, "", str(calibration))


@pytest.mark.long
@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_told_and_left_out(
    calibration: Path, small: Path, pictures: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    other = models.write(lambda: models.stable_diffusion(), tmp_path / "other")
    shutil.copytree(calibration, tmp_path / "kept")
    record = json.loads((tmp_path / "kept" / "calibration.json").read_text(encoding="utf-8"))
    record |= {"target": str(other), "target_fingerprint": "of another model"}
    (tmp_path / "kept" / "calibration.json").write_text(json.dumps(record), encoding="utf-8")
    broken = (
        Offer(str(tmp_path / "nothing"), "nothing", data=str(pictures)),
        *offered([tmp_path / "kept"]),
    )
    good = named([str(small)], [str(pictures)], ["-"])
    found = loadable((*broken, *good), "cpu", tmp_path / "cache", told.append)
    assert [offer.name for offer in found] == ["small-sd"]
    assert "nothing is not offered: " in told[0] and "other is not offered: " in told[1]
    assert "was calibrated with the target" in told[1]
    with pytest.raises(RunError, match="None of the models can be offered"):
        loadable(broken, "cpu", tmp_path / "cache", told.append)


def test_each_model_has_its_pictures_and_a_name_of_its_own(calibration: Path) -> None:
    with pytest.raises(DataError, match="Got 2 targets, 1 data sets and 0 references"):
        named(["a", "b"], ["pictures"], [])
    with pytest.raises(DataError, match="offers each name once"):
        named(["x/a", "y/a"], ["p", "p"], [])
    with pytest.raises(DataError, match="offers each model once"):
        offered([calibration, calibration])
    both = (*offered([calibration]), *named(["here/small-sd"], ["pictures"], ["-"]))
    with pytest.raises(DataError, match="Two models are called small-sd"):
        distinct(both)
    with pytest.raises(DataError, match="holds no calibration"):
        offered([calibration.parent])


def test_visitors_are_told_no_path() -> None:
    class OfPaths(Offer):
        base = "/srv/models/base/"
        data_name = "C:\\secret\\pictures.parquet"

    offer = OfPaths("/srv/models/suspect", "suspect")
    service = CheckService(offers=(offer,), ask=lambda offer, uploads, is_set: ((), None))
    found = service._found("suspect", (), {}, is_set=False)
    assert (found.data, found.reference) == ("pictures.parquet", "base")
