"""The first tab: drop a picture, and read whether it scores as training pictures do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from miagym.app.check.desk import desk_on
from miagym.app.check.examples import KINDS, RULE, example
from miagym.app.check.figures import verdict_figure, verdict_sketch
from miagym.app.check.html import (
    BEFORE,
    answer_html,
    details_html,
    set_details_html,
    set_html,
)
from miagym.app.check.service import MOST, TARGETS
from miagym.app.parts import into_sight
from miagym.app.server.errors import in_sentences
from miagym.app.server.rate_limit import visitor_of
from miagym.app.server.uploads import files_input, picture_input
from miagym.app.site import Site
from miagym.errors import DataError

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 2}
"""Shared by all that asks a target: more at once would only be slower on two cores."""

SHOW_VERDICT = into_sight("check-verdict")
"""On a phone the answer stands below the form."""

LABELS = {
    "clipart-overfit": "clipart-overfit (trained too long on few drawings)",
    "clipart-realistic": "clipart-realistic (trained as large models are)",
}

Shown = tuple[str, Any, str]
"""Verdict, figure, details."""


def check_tab(site: Site) -> None:
    """Builds the tab, inside `with gr.Tab(...)`."""
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            target = gr.Radio(
                [(LABELS[name], name) for name in TARGETS],
                value=TARGETS[0],
                label="Used to train which target?",
                elem_id="check-target",
            )
            with gr.Tabs():
                with gr.Tab("One picture"):
                    picture, caption, one = _one_picture()
                    examples = _example_buttons()
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
    gr.HTML('<p class="small">Or begin with one that is known:</p>')
    with gr.Row():
        buttons = [(kind, gr.Button(kind, size="sm", min_width=80)) for kind in KINDS]
    gr.HTML(f'<p class="small">{RULE}</p>')
    return buttons


def _several_pictures() -> tuple[gr.File, gr.Button]:
    gr.HTML(
        f'<p class="small">2 to {MOST} pictures of one source, one artist say. A set is often '
        "found where no single picture is. Captions: a .txt beside each picture, named like it.</p>"
    )
    files = files_input(label="Pictures", height=230, elem_id="check-files")
    return files, gr.Button("Check the set", variant="primary", elem_id="check-several")


def _before(site: Site) -> Callable[[str], Shown]:
    def before(target: str) -> Shown:
        """An answer under another target would mislead; its scale is drawn once it is known."""
        desk = desk_on(site.device)
        known = desk.is_warm(target, True)
        return BEFORE, verdict_figure(desk.scale(target, True)) if known else verdict_sketch(), ""

    return before


def _check_one(site: Site) -> Callable[..., Shown]:
    @in_sentences
    def check_one(picture: str | None, caption: str, target: str, request: gr.Request) -> Shown:
        if picture is None:
            raise DataError("Drop a picture first, or choose an example.")
        desk, pay = desk_on(site.device), partial(site.allowance.take, visitor_of(request))
        answer = desk.check(Path(picture), caption, target, pay=pay)
        scale = desk.scale(target, answer.captioned)
        asked = [] if answer.score is None else [(answer.name, answer.score)]
        return answer_html(answer), verdict_figure(scale, asked), details_html(answer, scale)

    return check_one


def _check_several(site: Site) -> Callable[..., Shown]:
    @in_sentences
    def check_several(files: dict[str, Path], target: str, request: gr.Request) -> Shown:
        if not files:
            raise DataError(f"Drop 2 to {MOST} pictures first.")
        desk, pay = desk_on(site.device), partial(site.allowance.take, visitor_of(request))
        found = desk.check_set(files, target, pay=pay)
        captioned = found.together.captioned
        asked = [
            (answer.name, answer.score)
            for answer in found.answers
            if answer.score is not None and answer.captioned == captioned
        ]
        scale = desk.scale(target, captioned)
        return set_html(found), verdict_figure(scale, asked), set_details_html(found)

    return check_several


def _fill(site: Site, kind: str) -> Callable[[str], tuple[str, str]]:
    @in_sentences
    def fill(target: str) -> tuple[str, str]:
        found = example(desk_on(site.device), target, kind)
        return str(found.file), found.caption

    return fill
