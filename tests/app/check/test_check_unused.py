"""Checks against unused pictures on the page: as the front door answers, paid for, in one box."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

import miagym
from miagym.app.check.handlers import Handlers
from miagym.app.check.service import TARGETS, check_service
from miagym.app.check.unused.compare import ATTACK
from miagym.app.server.rate_limit import Allowance
from miagym.app.site import Site
from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from tests.app.visiting import watch

OVERFIT = TARGETS[0]
N_USED, N_UNUSED = 12, 24
HOUR = 10_000
"""Units of one."""

Sides = tuple[dict[str, Path], dict[str, Path]]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Members and others of the embedded model, as files."""
    folder = tmp_path_factory.mktemp("sides")
    data = load_data("clipart-tune")
    found = []
    for name, is_member, count in (("used", True, N_USED), ("unused", False, N_UNUSED)):
        rows = np.flatnonzero((data.member == is_member) & (data.part == TEST))[:count]
        files = {f"{name}-{row}.webp": folder / f"{name}-{row}.webp" for row in rows}
        for row, file in zip(rows, files.values(), strict=True):
            file.write_bytes(bytes(data.pictures[row]))
        found.append(files)
    return found[0], found[1]


def asked(sides: Sides, site: Site, **changed: Any) -> str:
    """What stands in the verdict's box."""
    request = gr.Request(headers={}, client=SimpleNamespace(host="1.2.3.4"), session_hash="a")
    given = {"used": sides[0], "unused": sides[1], "fdr": 0.1, "with_evidence": False} | changed
    return Handlers(site).compare(**given, target=OVERFIT, number=1, request=request)["shown"][0]


def test_what_cannot_be_paid_is_refused_in_the_box_before_it_is_computed(sides: Sides) -> None:
    rows = check_service("cpu").rows(OVERFIT, N_USED + N_UNUSED, [ATTACK])
    said = asked(sides, Site(allowance=Allowance(rows - 1), device="cpu"))
    assert "Not checked" in said and f"takes {rows} units, and {rows - 1} of your" in said


def test_a_missing_side_is_said_in_the_box(sides: Sides) -> None:
    said = asked(sides, Site(device="cpu"), unused={})
    assert "Not checked" in said and "Expected 1 to 40 unused pictures, got 0" in said


@pytest.mark.slow
def test_one_picture_on_both_sides_is_said_in_the_box(sides: Sides) -> None:
    """And costs nothing: none of it is computed."""
    both = {**sides[1], **dict(list(sides[0].items())[:1])}
    site = Site(allowance=Allowance(HOUR), device="cpu")
    said = asked(sides, site, unused=both)
    assert site.allowance.left("1.2.3.4") == HOUR
    assert "Not checked" in said and "same file" in said and "/tmp" not in said


@pytest.mark.slow
def test_the_page_answers_as_the_front_door_and_gives_the_evidence(
    browser: Browser, url: str, sides: Sides, tmp_path: Path
) -> None:
    used, unused = sides
    page, against = browser.new_page(accept_downloads=True), []
    watch(page, url, against)
    page.goto(url)
    page.get_by_role("tab", name="Against unused").click()
    for place, files in (("check-used", used), ("check-unused", unused)):
        page.set_input_files(f"#{place} input[type=file]", list(map(str, files.values())))
        page.wait_for_selector(f"#{place} tr >> nth={len(files) - 1}")
    page.locator("#check-evidence-unused input").check()
    page.get_by_role("button", name="Compare").click()
    verdict = page.locator("#check-verdict:has([role=status])")
    expect(verdict).to_contain_text("The set looks used")
    expect(verdict).to_contain_text("The control first.")
    page.locator("#check-details summary").click()
    assert page.locator("#check-details tbody tr").count() >= N_USED
    with page.expect_download() as download:
        page.get_by_text("Download evidence.zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    page.close()
    assert not against

    found = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    text = (tmp_path / "evidence" / "evidence.html").read_text(encoding="utf-8")
    assert next(iter(used)) in text and not re.search(r"/tmp|gradio", json.dumps(found) + text)
    front = miagym.check(used, OVERFIT, unused=unused, fdr=0.1, device="cpu").as_json()
    assert found["result"] == json.loads(json.dumps(front))
