"""What is sent to the check tab, of which an open page shows what is about its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import gradio as gr
from gradio.events import Dependency

from miagym.app.html import script

Shown = tuple[str, Any, str]
"""Verdict, figure, details."""
NUMBERED = script("numbered.js")
"""Gives what an open page asks its number, in the browser, at the click: as the last value."""
DROPPED = script("dropped.js")
"""The same for a picture; before the number, the caption of the answer that is shown."""
UNSEEN: dict[str, Any] = {"api_visibility": "private"}


class About(StrEnum):
    """Why something is sent, and so when it is shown (`static/js/show_answer.js`)."""

    ANSWER = "answer"
    """Shown if nothing was asked since, and its caption is the one in the form."""
    FORM = "form"
    """Something was changed: takes away all that was asked before."""
    PLACE = "place"
    """Another sub-tab: takes away an answer; an example may stay, which names itself."""
    CAPTION = "caption"
    """The caption was changed: takes away an answer about another one."""


def sent(about: About, shown: Shown, number: float | None, caption: str | None = None) -> Any:
    """What a handler sends.

    Args:
        about: why.
        shown: is put on the page, if it is shown.
        number: of the question, from the browser; None for a caption, which asks nothing.
        caption: that an answer is about; None if it is about none.
    """
    said, figure, details = shown
    drawn = gr.Plot(show_label=False).postprocess(figure)
    parts = [str(said), drawn and drawn.model_dump(), str(details)]
    return {"about": about, "number": number, "caption": caption, "shown": parts}


def shown_of(
    event: Callable[..., Dependency],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    shown: Sequence[Any],
    caption: Any,
    others: Sequence[Any] = (),
    **options: Any,
) -> Dependency:
    """Has an event's handler send something, and the browser show it if it is the time for it.

    Args:
        event: of a component, or after another event.
        handler: returns what `sent` makes, and then values of `others`.
        inputs: of the handler.
        shown: verdict, figure and details on the page.
        caption: of the form.
        others: components that are filled in whenever the answer comes.
        options: of the event.

    Returns:
        the event of the handler, without that of the browser.
    """
    parcel = gr.JSON(visible=False)  # one each, so that none is taken for another
    asked = event(handler, list(inputs), [parcel, *others], **{**UNSEEN, **options})
    asked.success(None, [parcel, caption], list(shown), js=script("show_answer.js"), **UNSEEN)
    return asked
