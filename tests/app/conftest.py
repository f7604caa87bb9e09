"""A served page on 127.0.0.1 and a real browser to visit it."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.app.visiting import ROOT, Served, served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""None where Playwright has a browser of its own."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 180_000
"""Milliseconds to wait for whatever a page is to show. A busy machine is no failure."""
SAID = 6000
"""Characters of a served page's output that a failure tells."""
SHOTS = ROOT / "build" / "screenshots"
"""Kept by CI; ignored by git."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure also tells the last of what the served page has said."""
    report = yield
    if report.failed and (page := item.funcargs.get("page")):
        report.sections.append(("The served page said", page.text()[-SAID:]))
    return report


@pytest.fixture(scope="session")
def page() -> Iterator[Served]:
    """The page, as `python app.py` serves it, for all tests of a process."""
    with served(ROOT / "app.py") as page:
        yield page


@pytest.fixture(scope="session")
def url(page: Served) -> str:
    """The address of the page."""
    return page.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, which the Makefile installs.

    While it is open, Playwright runs an event loop in the main thread, where no other can be run
    then: it ends with the tests of a file.
    """
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        browser.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
