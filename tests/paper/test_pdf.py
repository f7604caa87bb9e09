"""The page as PDF: printed by a browser, or one sentence on what to install."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from miagym.errors import RunError
from miagym.report.pdf import CHOSEN, find_browser, print_page

PAGE = """<!doctype html><title>t</title><p id=p>before</p>
<script>document.getElementById("p").style.height = "5000px"</script>"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    return tmp_path / "page.html"


def pages_in(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/")


@pytest.mark.skipif(find_browser() is None, reason="needs Chrome or Chromium")
def test_scripts_run_before_it_is_printed(page: Path, tmp_path: Path) -> None:
    """The script makes the page so high that it takes several sheets."""
    printed = print_page(page, tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF-") and pages_in(printed) > 3
    assert sorted(os.listdir(tmp_path)) == ["page.html", "page.pdf"]


def test_without_a_browser_it_says_what_to_install(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miagym.report.pdf.find_browser", lambda: None)
    with pytest.raises(RunError, match=r"page.pdf needs Chrome or Chromium: install one") as told:
        print_page(page, tmp_path / "page.pdf")
    assert "page.html holds the same" in str(told.value)
    assert not (tmp_path / "page.pdf").exists()


@pytest.mark.parametrize("what", ["true", "nothing-of-this-name"])
def test_a_browser_that_prints_nothing_is_named(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The environment names the browser; what is there stays as it was."""
    monkeypatch.setenv(CHOSEN, what)
    (tmp_path / "page.pdf").write_bytes(b"before")
    with pytest.raises(RunError, match=f"{what} did not print page.html"):
        print_page(page, tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes() == b"before"
