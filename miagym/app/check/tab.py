"""The first tab: drop a picture, and read whether it scores as training pictures do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from miagym.app.check.examples import KINDS, RULE, example, has_examples
from miagym.app.check.figures import verdict_figure, verdict_sketch
from miagym.app.check.latest import NUMBERED, LatestQuestion
from miagym.app.check.marks import marks_of
from miagym.app.check.service import CheckService, Pay, check_service
from miagym.app.check.view import BEFORE, details_html, refused_html, verdict_html
from miagym.app.html import part, script
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import page_errors
from miagym.app.server.uploads import files_input, picture_input
from miagym.app.site import Site
from miagym.errors import DataError, MiagymError

if TYPE_CHECKING:
    from miagym.api.checking.result import Check

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 2}
"""Shared by all that asks a target: more at once would only be slower on two cores."""

SHOW_VERDICT = script("into_sight.js", "check-verdict")
"""On a phone the answer stands below the form."""

Shown = tuple[str, Any, str]
"""Verdict, figure, details."""
UNCHANGED = (gr.skip(),) * 3


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
                with gr.Tab("One picture") as single:
                    picture, caption, one = _one_picture()
                    examples = _example_buttons() if has_examples(site.offers) else []
                with gr.Tab("Several pictures") as multiple:
                    files, several = _several_pictures()
            number = gr.Number(visible=False)
        with gr.Column(scale=2, min_width=300):
            verdict = gr.HTML(BEFORE, elem_id="check-verdict")
            figure = gr.Plot(verdict_sketch(), show_label=False, elem_id="check-figure")
            details = gr.HTML(elem_id="check-details")
    shown = [verdict, figure, details]
    private: dict[str, Any] = {"api_visibility": "private", "show_progress_on": verdict}
    numbered: dict[str, Any] = {"js": NUMBERED, **private}
    pressed: dict[str, Any] = {"trigger_mode": "always_last", **numbered, **MODEL}
    handlers = Handlers(site)
    asked = [picture, caption, target, number]
    answers = [
        one.click(handlers.check_one, asked, shown, **pressed),
        several.click(handlers.check_several, [files, target, number], shown, **pressed),
    ]
    # At load, and whatever is changed in the form takes away what was shown about it.
    gr.on(
        None, lambda: handlers.before(site.offers[0].name), None, shown, queue=False, **private
    )  # at load
    at_once: dict[str, Any] = {"queue": False, "trigger_mode": "always_last"}
    changes = [picture.upload, picture.clear, files.change]
    for change in [*changes, single.select, multiple.select]:
        change(handlers.changed, [target, number], shown, **at_once, **numbered)
    caption.change(handlers.recaptioned, [caption, target], shown, **at_once, **private)
    target.change(handlers.retargeted, [target, number], shown, **at_once, **numbered)
    picture.clear(lambda: "", None, caption, queue=False, **private)
    for kind, button in examples:
        filled = button.click(
            handlers.fill(kind), [target, number], [picture, caption, *shown], **numbered, **MODEL
        )
        answers.append(filled.success(handlers.check_one, asked, shown, **numbered, **MODEL))
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


class Handlers:
    """What the events of the tab do.

    Args:
        site: whose models are asked, and whose allowance is drawn upon.
    """

    def __init__(self, site: Site) -> None:
        self._site, self._latest = site, LatestQuestion()

    @property
    def _service(self) -> CheckService:
        return check_service(self._site.device, self._site.offers)

    def before(self, target: str) -> Shown:
        """An answer under another target would mislead; its scale is drawn once it is known."""
        if not self._service.is_warm(target, True):
            return BEFORE, verdict_sketch(), ""
        return BEFORE, verdict_figure(self._service.scale(target, True)), ""

    def changed(self, target: str, number: float | None, request: gr.Request) -> Any:
        """An answer about what stood in the form before would mislead, also one still to come."""
        if self._latest.ask(request.session_hash, number):
            return self.before(target)
        return UNCHANGED

    def retargeted(self, target: str, number: float | None, request: gr.Request) -> Shown:
        """Another model has a scale of its own, answer or none."""
        self._latest.ask(request.session_hash, number)
        return self.before(target)

    def recaptioned(self, caption: str, target: str, request: gr.Request) -> Any:
        """An answer about another caption would mislead; an example's own is no other."""
        is_past = self._latest.write(request.session_hash, caption)
        return self.before(target) if is_past else UNCHANGED

    def check_one(
        self,
        picture: str | None,
        caption: str,
        target: str,
        number: float | None,
        request: gr.Request,
    ) -> Any:
        """The answer about the picture."""

        def check(pay: Pay) -> Check:
            if picture is None:
                raise DataError("Drop a picture first, or choose an example.")
            return self._service.check(Path(picture), caption, target, pay=pay)

        return self._answered(check, target, number, request, caption)

    def check_several(
        self, files: dict[str, Path], target: str, number: float | None, request: gr.Request
    ) -> Any:
        """The answers about the set."""

        def check(pay: Pay) -> Check:
            if not files:
                raise DataError(f"Drop 2 to {MAX_PICTURES} pictures first.")
            return self._service.check_set(files, target, pay=pay)

        return self._answered(check, target, number, request)

    def fill(self, kind: str) -> Callable[..., Any]:
        """The handler that puts an example into the form."""

        @page_errors
        def filled(target: str, number: float | None, request: gr.Request) -> tuple[Any, ...]:
            self._latest.ask(request.session_hash, number)
            found = example(self._service, target, kind)
            return str(found.file), found.caption, *self.before(target)

        return filled

    def _answered(
        self,
        check: Callable[[Pay], Check],
        target: str,
        number: float | None,
        request: gr.Request,
        caption: str | None = None,
    ) -> Any:
        """What is shown of an answer, or why there is none, unless the form has changed since."""
        page = request.session_hash
        self._latest.ask(page, number)
        try:
            found = check(partial(self._site.allowance.take, client_id(request)))
            shown = _shown(self._service, found)
        except MiagymError as error:
            _, figure, _ = self.before(target)
            shown = refused_html(str(error)), figure, ""
        return shown if self._latest.answer(page, number, caption) else UNCHANGED


def _shown(service: CheckService, found: Check) -> Shown:
    """The verdict, and the marks of the pictures that stand on one scale."""
    marks = marks_of(found)
    scale = service.scale(found.target, marks.captioned)
    return verdict_html(found), verdict_figure(scale, marks.scores), details_html(found, scale)
