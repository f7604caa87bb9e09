"""A served page on 127.0.0.1 and a real browser to visit it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""None where Playwright has a browser of its own."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Kept by CI; ignored by git."""


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of the page, served by this process."""
    from miagym.app.page import build, serve

    page = build()
    _, address, _ = serve(page, prevent_thread_lock=True, quiet=True)
    yield address
    page.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, which the Makefile installs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
