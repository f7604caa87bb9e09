"""A page served by a process of its own, and what all visits to it share: sizes, what counts
against it.

Gradio leaves event loops and sockets open when a served page is closed; here they end with the
process, and not in somebody else's test.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
ADDRESS = re.compile(r"Running on local URL: +(http\S+)\n")
SECONDS = 180
"""To wait for an address. A busy machine is no failure."""

SERVING = """
import sys
from miagym.app.page import serve
url = serve(page, globals().get("site"), prevent_thread_lock=True, quiet=True)[1]
print("Running on local URL: ", url, flush=True)
for line in sys.stdin:  # which ends when the tests do, however they end
    exec(line)
    print("Done:", line, end="", flush=True)
"""
"""Follows a program that has built `page`, of a `site` if it has one."""


ASKED = "window.miagymAsked || 0"
ANSWERED = """
(before) => {
  const shown = document.querySelector("#check-verdict [data-question]");
  const asked = window.miagymAsked || 0;
  return asked > before && shown && Number(shown.dataset.question) === asked;
}
"""
"""Whether the answer to the last question of the check tab is shown: a picture is checked when it
is dropped, too, so that the next answer need not be the one to the click."""


@dataclass(frozen=True)
class Served:
    """A page that another process serves.

    Args:
        process: the other process.
        output: the file into which it writes.
        temporary: its folder for temporary files, which no other process uses.
    """

    process: subprocess.Popen[str]
    output: Path
    temporary: Path

    @property
    def address(self) -> str:
        """With a slash at its end."""
        return self._said(ADDRESS).rstrip("/") + "/"

    def do(self, statement: str) -> None:
        """Has a line of Python run where the page is served, among the names of its program."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{statement}\n")
        self.process.stdin.flush()
        self._said(re.compile(f"(Done: {re.escape(statement)})\n"))

    def _said(self, pattern: re.Pattern[str]) -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            has_ended = self.process.poll() is not None
            if found := pattern.search(self.text()):
                return found[1]
            if has_ended:
                raise AssertionError(f"The served program ended, and said:\n{self.text()}")
            time.sleep(0.05)
        waited = f"The served program does not come to say {pattern.pattern}:"
        raise AssertionError(f"{waited}\n{self.text()}")

    def text(self) -> str:
        """All that it has written so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")


@contextmanager
def served(program: str | Path, *arguments: str | Path) -> Iterator[Served]:
    """Serves a page while the context lasts.

    Args:
        program: Python that builds `page`, or a file that serves one by itself.
        arguments: its `sys.argv[1:]`.

    Raises:
        AssertionError: with all that the program said, if it ends before it has an address.
    """
    what = [str(program)] if isinstance(program, Path) else ["-c", program + SERVING]
    command = [sys.executable, "-u", *what, *map(str, arguments)]
    with TemporaryDirectory() as folder:
        output, temporary = Path(folder, "output"), Path(folder, "tmp")
        temporary.mkdir()
        with output.open("w") as file:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "TMPDIR": str(temporary)},
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            page = Served(process, output, temporary)
            page.address  # noqa: B018, waits for it
            yield page
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def check_answer(page: Any, ask: Callable[[], object]) -> str:
    """What the check tab says to a question, however much else is being asked."""
    return check_answers([page], lambda _: ask())[0]


def check_answers(pages: Sequence[Any], ask: Callable[[Any], object]) -> list[str]:
    """What the check tabs of several pages say, once all have been asked."""
    asked = [page.evaluate(ASKED) for page in pages]
    for page in pages:
        ask(page)
    for page, before in zip(pages, asked, strict=True):
        page.wait_for_function(ANSWERED, arg=before)
    return [page.inner_text("#check-verdict [data-question]") for page in pages]


def watch(page: Any, address: str, against: list[str]) -> None:
    """Notes, as it comes, what the console, a script or the network says against a page.

    Requests to any other host than that of the address count. What a page had asked and gave up
    when it was left does not: Gradio's own abort of it.
    """
    page.on("console", lambda m: against.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: thrown(str(error)))

    def thrown(error: str) -> None:
        if not error.startswith("AbortError: signal is aborted"):
            against.append(error)

    def asked(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            against.append(f"asked {url}")

    page.on("request", lambda request: asked(request.url))


def faults(page: Any) -> list[Any]:
    """What axe-core finds on a page, and where."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
