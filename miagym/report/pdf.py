"""A page as PDF, printed by Chrome or Chromium: tables as text, figures as vectors."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from miagym.atomic import replacing
from miagym.errors import RunError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHOSEN = "BROWSER_PATH"
"""The environment variable by which kaleido is told of a browser, too."""
TIME_BUDGET = 20_000
"""Milliseconds, as the page's clock counts them, that its figures may take to be drawn."""
MAX_SECONDS = 300


def print_page(page: Path, out: Path) -> Path:
    """Prints an HTML file, with its scripts run, as PDF.

    Args:
        page: the file; it needs no network, and gets none.
        out: the file to write.

    Raises:
        RunError: if there is no browser, or it prints nothing.
        OSError: if the file cannot be written.
    """
    browser = find_browser()
    if browser is None:
        raise RunError(
            f"Printing {out.name} needs Chrome or Chromium: install one, or run "
            f"`plotly_get_chrome` (pip install 'miagym[figures]'); {page.name} holds the same."
        )
    with tempfile.TemporaryDirectory(prefix="miagym-print-") as folder, replacing(out) as partial:
        printed = Path(folder) / "page.pdf"
        _run(browser, Path(folder) / "profile", page, printed)
        partial.write_bytes(printed.read_bytes())
    return out


def find_browser() -> str | None:
    """Path of a browser that can print: one that is named, installed, or was got for kaleido."""
    if chosen := os.environ.get(CHOSEN):
        return chosen
    installed = next((path for name in NAMES if (path := shutil.which(name))), None)
    if installed is not None or find_spec("choreographer") is None:
        return installed
    from choreographer.browsers.chromium import Chromium

    found = Chromium.find_browser(skip_local=False)
    return None if found is None else str(found)


def _run(browser: str, profile: Path, page: Path, printed: Path) -> None:
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--disable-extensions",
        "--no-first-run",
        "--window-size=1500,1000",  # about the width of the sheet, by which figures are drawn
        "--proxy-server=127.0.0.1:9",  # nothing is there: no request leaves this machine
        f"--user-data-dir={profile}",
        f"--virtual-time-budget={TIME_BUDGET}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={printed}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # the sandbox does not work for root, as in a container
    try:
        done = subprocess.run(
            [*command, page.resolve().as_uri()],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=MAX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(f"{browser} did not print {page.name}: {error}.") from error
    if not printed.is_file():
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise RunError(f"{browser} did not print {page.name}: {last[0]}.")
