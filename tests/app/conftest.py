"""A served page on 127.0.0.1 and a real browser to visit it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Kept by CI; ignored by git."""
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of the page, served by this process."""
    from miagym.app.page import build, serve

    page = build()
    _, address, _ = serve(page, prevent_thread_lock=True, quiet=True)
    yield address
    page.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, which the Makefile installs."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "no chromium: `make test` installs it"
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
