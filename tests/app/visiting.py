"""What all visits to a served page share: sizes, what counts against it, Gradio's own warnings."""

from __future__ import annotations

from typing import Any

import pytest

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}

SERVED_HERE = [
    # Gradio leaves an event loop open when a served page is closed, and its queue's analytics use
    # what pandas 4 will drop.
    pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*:pandas.errors.Pandas4Warning"),
]
"""Marks of tests that serve a page in their own process."""


def watch(page: Any, address: str, against: list[str]) -> None:
    """Notes, as it comes, what the console, a script or the network says against a page.

    Requests to any other host than that of the address count.
    """
    page.on("console", lambda m: against.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: against.append(str(error)))

    def asked(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            against.append(f"asked {url}")

    page.on("request", lambda request: asked(request.url))
