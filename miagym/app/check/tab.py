"""The first tab: drop a picture, and read whether it scores as training pictures do."""

from __future__ import annotations

from functools import partial
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
from miagym.app.check.handlers import Handlers
from miagym.app.check.marks import marks_of
from miagym.app.check.opening import opening
from miagym.app.check.sending import DROPPED, NUMBERED, UNSEEN, Shown, shown_of
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
        answered = gr.Textbox(visible=False)
    asking = partial(shown_of, shown=[verdict, figure, details], caption=one.caption)
    numbered: dict[str, Any] = {"js": NUMBERED, "show_progress_on": verdict}
    pressed: dict[str, Any] = {"trigger_mode": "always_last", **numbered, **MODEL}
    # Each at once: what waits for the one before would be numbered after a click that came later.
    at_once: dict[str, Any] = {"queue": False, "trigger_mode": "multiple", **numbered}
    quiet: dict[str, Any] = {"queue": False, **UNSEEN}
    handlers = Handlers(site)
    # Whatever is changed in the form takes away what was shown about it.
    uploads = [several.files.change, sides.used.change, sides.unused.change]
    for change in (picture.clear, target.change, *uploads, sides.fdr.change):
        asking(change, handlers.changed, [target, number], **at_once)
    for turn in (single.select, multiple.select, against.select):
        asking(turn, handlers.turned, [target, number], **at_once)
    asking(one.caption.change, handlers.recaptioned, [target], **{**at_once, "js": None})
    dropping = [target, one.caption, answered, number]
    filled = [
        asking(
            picture.upload,
            handlers.dropped,
            dropping,
            others=[one.caption],
            **{**at_once, "js": DROPPED},
        )
    ]
    filled += [
        asking(
            button.click,
            handlers.fill(kind),
            [target, number],
            others=[picture, one.caption],
            queue=False,
            **numbered,
        )
        for kind, button in one.examples.items()
    ]
    alone = [picture, one.caption, one.evidence, target, number]
    a_set = [several.files, several.evidence, target, number]
    in_question = [sides.used, sides.unused, sides.fdr, sides.evidence, target, number]
    answers = [
        *(asking(form.success, handlers.check_one, alone, **pressed) for form in filled),
        asking(one.check.click, handlers.check_one, alone, **pressed),
        asking(one.caption.submit, handlers.check_one, alone, **pressed),
        asking(several.check.click, handlers.check_several, a_set, **pressed),
        asking(sides.check.click, handlers.compare, in_question, **pressed),
    ]
    for answer in answers:
        answer.success(None, js=SHOW_VERDICT, **UNSEEN)
    # A picture stays with its visitor; whoever gets the address drops one.
    permalink = Permalink(CHECK, {"check-model": target, "caption": one.caption})
    permalink.write_at(target.input, one.caption.blur)
    permalink.read_at_load(handlers.asked_in)
    thumbnails = list(one.examples.values())
    target.change(handlers.thumbnails, target, thumbnails, trigger_mode="always_last", **quiet)
    picture.clear(lambda: "", None, one.caption, **quiet)
    single.select(lambda: gr.Column(visible=True), None, more, **quiet)
    for tab in (multiple, against):
        tab.select(lambda: gr.Column(visible=False), None, more, **quiet)


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
