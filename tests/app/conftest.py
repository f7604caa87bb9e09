"""A served page on 127.0.0.1 and a real browser to visit it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""None where Playwright has a browser of its own."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"Running on local URL: +(\S+)")
SHOTS = ROOT / "build" / "screenshots"
"""Kept by CI; ignored by git."""


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of the page, as `python app.py` serves it, in a process of its own."""
    command = [sys.executable, "-u", "app.py"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = (ADDRESS.search(line) for line in process.stdout)
        yield next(match[1] for match in found if match)
        process.terminate()


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
