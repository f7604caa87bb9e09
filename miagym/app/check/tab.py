"""The first tab: drop a picture, and read whether it scores as training pictures do."""

from __future__ import annotations

from typing import Any

import gradio as gr

from miagym.app.check.figures import verdict_figure, verdict_sketch
from miagym.app.check.form import (
    against_unused,
    drop_place,
    model_choice,
    one_picture,
    several_pictures,
)
from miagym.app.check.handlers import Handlers, Shown
from miagym.app.check.latest import NUMBERED, WRITTEN
from miagym.app.check.marks import marks_of
from miagym.app.check.opening import opening
from miagym.app.check.view import BEFORE, details_html, verdict_html
from miagym.app.html import script
from miagym.app.permalink import Permalink
from miagym.app.site import CHECK, Site

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 2}
"""Shared by all that asks a model: more at once would only be slower on two cores."""

SHOW_VERDICT = script("into_sight.js", "check-verdict")
"""On a phone the answer stands below the form."""


def check_tab(site: Site) -> None:
    """Builds the tab, inside `with gr.Tab(...)`."""
    # In the order in which a phone shows them: the answer directly below the picture.
    with gr.Row(elem_id="check-row"):
        with gr.Column(elem_id="check-form", min_width=280):
            target = model_choice(site.offers)
            with gr.Tabs():
                with gr.Tab("One picture") as single:
                    picture = drop_place()
                with gr.Tab("Several") as multiple:
                    several = several_pictures()
                with gr.Tab("Against unused") as against:
                    sides = against_unused()
        with gr.Column(elem_id="check-answer", min_width=300):
            said, drawn, folded = _opening(site)
            verdict = gr.HTML(said, elem_id="check-verdict")
            figure = gr.Plot(drawn, show_label=False, elem_id="check-figure", elem_classes="figure")
            details = gr.HTML(folded, elem_id="check-details")
        with gr.Column(elem_id="check-more", min_width=280) as more:
            one = one_picture(site.offers)
        number = gr.Number(visible=False)
    shown = [verdict, figure, details]
    unseen: dict[str, Any] = {"api_visibility": "private"}
    private: dict[str, Any] = {**unseen, "show_progress_on": verdict}
    numbered: dict[str, Any] = {"js": NUMBERED, **private}
    pressed: dict[str, Any] = {"trigger_mode": "always_last", **numbered, **MODEL}
    # Each at once: what waits for the one before would be numbered after a click that came later.
    at_once: dict[str, Any] = {"queue": False, "trigger_mode": "multiple"}
    quiet: dict[str, Any] = {"queue": False, **unseen}
    handlers = Handlers(site)
    asked = [picture, one.caption, one.evidence, target, number]
    # Whatever is changed in the form takes away what was shown about it.
    changed: dict[str, Any] = {"inputs": [target, number], "outputs": shown, **at_once, **numbered}
    dropping = {**changed, "inputs": [target, one.caption, number]}
    dropped = picture.upload(handlers.dropped, **{**dropping, "outputs": [*shown, one.caption]})
    uploads = [several.files.change, sides.used.change, sides.unused.change]
    for change in (picture.clear, *uploads, sides.fdr.change):
        change(handlers.changed, **changed)
    for turn in (single.select, multiple.select, against.select):
        turn(handlers.turned, **changed)
    answers = [
        dropped.success(handlers.check_one, asked, shown, **pressed),
        one.check.click(handlers.check_one, asked, shown, **pressed),
        one.caption.submit(handlers.check_one, asked, shown, **pressed),
        several.check.click(
            handlers.check_several,
            [several.files, several.evidence, target, number],
            shown,
            **pressed,
        ),
        sides.check.click(
            handlers.compare,
            [sides.used, sides.unused, sides.fdr, sides.evidence, target, number],
            shown,
            **pressed,
        ),
    ]
    written = [one.caption, target, number]
    one.caption.change(handlers.recaptioned, written, shown, **at_once, **private, js=WRITTEN)
    # A picture stays with its visitor; whoever gets the address drops one.
    permalink = Permalink(CHECK, {"check-model": target, "caption": one.caption})
    permalink.write_at(target.input, one.caption.blur)
    permalink.read_at_load(handlers.asked_in)
    thumbnails = list(one.examples.values())
    target.change(
        handlers.retargeted, [target, number], [*shown, *thumbnails], **at_once, **numbered
    )
    picture.clear(lambda: "", None, one.caption, **quiet)
    single.select(lambda: gr.Column(visible=True), None, more, **quiet)
    for tab in (multiple, against):
        tab.select(lambda: gr.Column(visible=False), None, more, **quiet)
    for kind, button in one.examples.items():
        filled = button.click(
            handlers.fill(kind),
            [target, number],
            [picture, one.caption, *shown],
            queue=False,
            **numbered,
        )
        answers.append(filled.success(handlers.check_one, asked, shown, **pressed))
    for answer in answers:
        answer.success(None, js=SHOW_VERDICT, **unseen)
        answer.success(handlers.arrived, target, shown, show_progress="hidden", **at_once, **unseen)


def _opening(site: Site) -> Shown:
    """What the page opens with: an example and its answer, or the place for an answer."""
    found = opening(site.offers)
    if found is None:
        return BEFORE, verdict_sketch(), ""
    example, check, scale = found
    said = verdict_html(check, site.offers[0].pictures, example.member, example)
    return (
        said,
        verdict_figure(scale, marks_of(check).scores, "the example"),
        details_html(check, scale),
    )
