"""`miagym demo` ends on the page, opened with its run; `miagym page` opens any."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.app.visiting import Served, served, watch

MIAGYM = Path(sys.executable).with_name("miagym")
"""Beside the interpreter: the folder of an environment that was not activated is in no PATH."""

FEW = "4"
"""Members, and non-members: nothing to learn from them, but a run as any other."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    folder = tmp_path_factory.mktemp("runs") / "demo"
    with served(MIAGYM, "demo", "--limit", FEW, "--out", folder) as page:
        yield page, folder


@pytest.mark.long
@pytest.mark.slow
def test_the_demo_ends_on_the_page_with_its_run(
    browser: Browser, demo: tuple[Served, Path], shots: Path
) -> None:
    page, folder = demo
    said = page.output.read_text()
    assert "UNet rows" in said and (folder / "report.html").is_file()
    visit, against = browser.new_page(), []
    watch(visit, page.address, against)
    visit.goto(page.address)
    expect(visit.get_by_role("tab", name="Evaluate", selected=True)).to_be_visible()
    expect(visit.locator("#evaluate-finding")).to_contain_text("The demo run")
    for text in ("sima+reference", "blind-captions", f"not resolvable with n = {FEW}"):
        expect(visit.locator("#evaluate-table")).to_contain_text(text)
    expect(visit.locator("#evaluate-command")).to_contain_text(f"miagym demo --limit {FEW}")
    visit.screenshot(path=shots / "demo.png", full_page=True)
    visit.close()
    assert against == []


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        pytest.param(
            "--run",
            ".",
            "holds no finished run; expected results.json in it",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "--first",
            "palyy",
            "No tab is called 'palyy'; did you mean play",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "--device", "abacus", "There is no device 'abacus' here", marks=pytest.mark.slow
        ),
    ],
)
def test_a_page_that_cannot_be_opened_is_a_sentence(
    option: str, value: str, sentence: str, tmp_path: Path
) -> None:
    """In processes of their own: what Gradio has begun to build leaves event loops behind."""
    command = [MIAGYM, "page", option, value]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert sentence in re.sub(r"\s+", " ", done.stderr)


def test_the_shipped_run_is_the_demo_s() -> None:
    from miagym.app.evaluate.service import is_demo
    from miagym.app.site import Site

    found = Site().opened
    assert found is not None and is_demo(found)
