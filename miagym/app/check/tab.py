"""The first tab: drop a picture, and read whether it scores as training pictures do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from miagym.app.check.examples import KINDS, RULE, example, has_examples
from miagym.app.check.figures import verdict_figure, verdict_sketch
from miagym.app.check.service import CheckService, check_service
from miagym.app.check.view import BEFORE, details_html, verdict_html
from miagym.app.html import part, script
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import page_errors
from miagym.app.server.uploads import files_input, picture_input
from miagym.app.site import Site
from miagym.errors import DataError

if TYPE_CHECKING:
    from miagym.api.results import Check

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 2}
"""Shared by all that asks a target: more at once would only be slower on two cores."""

SHOW_VERDICT = script("into_sight.js", "check-verdict")
"""On a phone the answer stands below the form."""

Shown = tuple[str, Any, str]
"""Verdict, figure, details."""


def check_tab(site: Site) -> None:
    """Builds the tab, inside `with gr.Tab(...)`."""
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            target = gr.Radio(
                [(offer.label, offer.name) for offer in site.offers],
                value=site.offers[0].name,
                label="Used to train which model?",
                elem_id="check-target",
            )
            with gr.Tabs():
                with gr.Tab("One picture"):
                    picture, caption, one = _one_picture()
                    examples = _example_buttons() if has_examples(site.offers) else []
                with gr.Tab("Several pictures"):
                    files, several = _several_pictures()
        with gr.Column(scale=2, min_width=300):
            verdict = gr.HTML(BEFORE, elem_id="check-verdict")
            figure = gr.Plot(verdict_sketch(), show_label=False, elem_id="check-figure")
            details = gr.HTML(elem_id="check-details")
    shown = [verdict, figure, details]
    private: dict[str, Any] = {"api_visibility": "private", "show_progress_on": verdict}
    asked = [picture, caption, target]
    answers = [
        one.click(_check_one(site), asked, shown, **private, **MODEL),
        several.click(_check_several(site), [files, target], shown, **private, **MODEL),
    ]
    gr.on(None, _before(site), target, shown, queue=False, **private)  # at load, and at a change
    for kind, button in examples:
        filled = button.click(_fill(site, kind), target, [picture, caption], **private, **MODEL)
        answers.append(filled.success(_check_one(site), asked, shown, **private, **MODEL))
    for answer in answers:
        answer.success(None, js=SHOW_VERDICT, api_visibility="private")


def _one_picture() -> tuple[gr.Image, gr.Textbox, gr.Button]:
    picture = picture_input(label="Picture", height=230, buttons=[], elem_id="check-picture")
    caption = gr.Textbox(
        label="Caption (optional)",
        placeholder="as it may have stood beside it: cat, animal",
        info="Without one, it is compared with pictures that were asked about without theirs.",
        max_length=1000,
        elem_id="check-caption",
    )
    return picture, caption, gr.Button("Check", variant="primary", elem_id="check-one")


def _example_buttons() -> list[tuple[str, gr.Button]]:
    gr.HTML(part("small", "Or begin with one that is known:"))
    with gr.Row():
        buttons = [(kind, gr.Button(kind, size="sm", min_width=80)) for kind in KINDS]
    gr.HTML(part("small", RULE))
    return buttons


def _several_pictures() -> tuple[gr.File, gr.Button]:
    about = (
        f"2 to {MAX_PICTURES} pictures of one source, one artist say. A set is often found where "
        "no single picture is. Captions: a .txt beside each picture, named like it."
    )
    gr.HTML(part("small", about))
    files = files_input(label="Pictures", height=230, elem_id="check-files")
    return files, gr.Button("Check the set", variant="primary", elem_id="check-several")


def _before(site: Site) -> Callable[[str], Shown]:
    def before(target: str) -> Shown:
        """An answer under another target would mislead; its scale is drawn once it is known."""
        service = check_service(site.device, site.offers)
        if not service.is_warm(target, True):
            return BEFORE, verdict_sketch(), ""
        return BEFORE, verdict_figure(service.scale(target, True)), ""

    return before


def _check_one(site: Site) -> Callable[..., Shown]:
    @page_errors
    def check_one(picture: str | None, caption: str, target: str, request: gr.Request) -> Shown:
        if picture is None:
            raise DataError("Drop a picture first, or choose an example.")
        service, pay = (
            check_service(site.device, site.offers),
            partial(site.allowance.take, client_id(request)),
        )
        return _shown(service, service.check(Path(picture), caption, target, pay=pay))

    return check_one


def _check_several(site: Site) -> Callable[..., Shown]:
    @page_errors
    def check_several(files: dict[str, Path], target: str, request: gr.Request) -> Shown:
        if not files:
            raise DataError(f"Drop 2 to {MAX_PICTURES} pictures first.")
        service, pay = (
            check_service(site.device, site.offers),
            partial(site.allowance.take, client_id(request)),
        )
        return _shown(service, service.check_set(files, target, pay=pay))

    return check_several


def _shown(service: CheckService, found: Check) -> Shown:
    """Scores with captions and without are drawn on scales of their own; a set's decides."""
    captioned = (found.together or found.answers[0]).captioned
    scores = {a.name: a.score for a in found.answers if a.captioned == captioned}
    asked = [(name, score) for name, score in scores.items() if score is not None]
    scale = service.scale(found.target, captioned)
    return verdict_html(found), verdict_figure(scale, asked), details_html(found, scale)


def _fill(site: Site, kind: str) -> Callable[[str], tuple[str, str]]:
    @page_errors
    def fill(target: str) -> tuple[str, str]:
        found = example(check_service(site.device, site.offers), target, kind)
        return str(found.file), found.caption

    return fill
