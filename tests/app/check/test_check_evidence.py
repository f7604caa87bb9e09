"""Evidence that the check tab gives to hand on, of pictures that are judged by known members."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

import miagym
from miagym.app.check.evidence import recorded, zipped
from miagym.app.check.examples import MEMBER, NONMEMBER, examples
from miagym.app.check.service import TARGETS, check_service
from tests.app.visiting import check_answer, watch

pytestmark = pytest.mark.slow

CAPTION = "cat, animal"
SERVER_PATH = re.compile(r"/tmp|gradio|/work")


def unpacked(content: bytes) -> dict[str, Any]:
    """What the zip says, once it is known to name no place on the server."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data, html = (archive.read(f"evidence/evidence.{kind}") for kind in ("json", "html"))
    assert not SERVER_PATH.search((data + html).decode())
    return json.loads(data)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_visitor_s_evidence_can_be_repeated_by_somebody_else(
    browser: Browser, url: str, tmp_path: Path
) -> None:
    picture = tmp_path / "drawing.webp"
    picture.write_bytes(examples(TARGETS[0])[NONMEMBER].file.read_bytes())
    page, against = browser.new_page(accept_downloads=True), []
    watch(page, url, against)
    page.goto(url)
    page.locator("#check-evidence-one input").check()
    page.fill("#check-caption textarea", CAPTION)
    said = check_answer(
        page, lambda: page.set_input_files("#check-picture input[type=file]", str(picture))
    )
    assert said.startswith("Cannot tell")
    with page.expect_download() as download:
        page.get_by_text("Download evidence.zip").click()
    found = unpacked(Path(download.value.path()).read_bytes())
    page.close()
    assert not against

    assert [(one["picture"], one["sha256"]) for one in found["pictures"]] == [
        (picture.name, digest(picture))
    ]
    again = miagym.check(picture, **found["settings"], device="cpu").as_json()
    assert json.loads(json.dumps(again)) | {"picture": ""} == found["result"] | {"picture": ""}
    assert found["settings"]["caption"] == CAPTION


def test_evidence_of_a_set_holds_the_pictures_that_were_read(tmp_path: Path) -> None:
    known, service = examples(TARGETS[0]), check_service("cpu")
    given = {f"{kind}.webp": known[kind].file for kind in (MEMBER, NONMEMBER)}
    given["text.png"] = tmp_path / "text.png"
    given["text.png"].write_text("no picture")
    found = unpacked(zipped(recorded(service, service.check_set(given, TARGETS[0]), given)))
    hashes = {one["picture"]: one["sha256"] for one in found["pictures"]}
    assert hashes == {name: digest(given[name]) for name in given if name != "text.png"}
    assert [*found["result"]["skipped"]] == ["text.png"] and found["result"]["set"]
