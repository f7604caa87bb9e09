"""The Stop button of work that takes long."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import Dependency

from miagym.app.report_parts import said


def stops(button: gr.Button, running: Dependency, status: gr.HTML, words: str) -> None:
    """Lets a button cancel a run, and say so where the run tells how far it is.

    It is said once the run is cancelled, not before: a step that is on its way would write over it,
    and a visitor who reads it and starts anew would see the new run cancelled in its place.
    """
    quiet: dict[str, Any] = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    cancelled = button.click(None, cancels=[running], **quiet)
    cancelled.then(lambda: said(words), outputs=status, **quiet)
