"""How soon the page is usable after `python app.py`, and a verdict after a click, in a browser.

    python -m benchmarks.speed.page_speed

prints seconds, medians with the slowest beside them. Other work on the machine counts.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
STARTS, CLICKS = 3, 20
EXAMPLES = ("check-example-0", "check-example-1", "check-example-2")
FLAGS = ["--no-sandbox", "--disable-gpu"]
LOCAL = "http"
MINUTE = 60_000
ANSWERED = "#check-verdict [role=status]:not(.old)"
FORGET = """
document.querySelectorAll('#check-verdict [role=status]')
  .forEach((one) => one.classList.add('old'))
"""


def serve() -> tuple[subprocess.Popen[str], str]:
    """Starts the page, and waits for its address."""
    command = [sys.executable, "-u", "app.py"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if "Running on local URL" in line)
    return process, line[line.index(LOCAL) :].strip()


def usable(page: Page, address: str) -> None:
    """Opens the page, until an example can be pressed."""
    page.goto(address)
    page.locator("#check-example-0").click(trial=True, timeout=MINUTE)


def clicks(page: Page, buttons: tuple[str, ...]) -> list[float]:
    """Seconds from the press of a button to its verdict, after one that warms up.

    Neighbours have to answer differently: the same answer again leaves the page as it is.
    """
    seconds = []
    for number in range(CLICKS + 1):
        page.evaluate(FORGET)
        start = time.monotonic()
        page.locator(f"#{buttons[number % len(buttons)]}").click()
        page.wait_for_selector(ANSWERED, timeout=MINUTE)
        seconds.append(time.monotonic() - start)
    return seconds[1:]


def main() -> None:
    """Measures and prints."""
    starts: list[float] = []
    examples: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for number in range(STARTS):
            start = time.monotonic()
            process, address = serve()
            page = browser.new_page()
            usable(page, address)
            starts.append(time.monotonic() - start)
            if number == STARTS - 1:
                examples = clicks(page, EXAMPLES)
            page.close()
            process.terminate()
            process.wait(30)
        browser.close()
    measured = {
        "usable after start": starts,
        "verdict after an example": examples,
    }
    for name, seconds in measured.items():
        median, slowest = statistics.median(seconds), max(seconds)
        print(f"{name}: median {median:.2f} s, slowest {slowest:.2f} s, n = {len(seconds)}")


if __name__ == "__main__":
    main()
