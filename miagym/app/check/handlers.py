"""What the events of the check tab do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import gettempdir
from threading import Lock
from typing import TYPE_CHECKING, Any

import gradio as gr

from miagym.app.check.evidence import recorded, zipped
from miagym.app.check.examples import KINDS, examples, has_examples, truth_of
from miagym.app.check.figures import verdict_figure, verdict_sketch
from miagym.app.check.marks import marks_of
from miagym.app.check.sending import About, Shown, sent
from miagym.app.check.service import CheckService, Pay, check_service
from miagym.app.check.unused.compare import check_against_unused
from miagym.app.check.unused.view import p_figure, unused_details, unused_verdict
from miagym.app.check.view import BEFORE, details_html, numbered_html, refused_html, verdict_html
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import page_errors
from miagym.app.site import Site
from miagym.atomic import replacing
from miagym.errors import DataError, MiagymError

if TYPE_CHECKING:
    from miagym.api.checking.result import Check

_COPYING = Lock()


class Handlers:
    """What the events of the tab do.

    Args:
        site: whose models are asked, and whose allowance is drawn upon.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def _service(self) -> CheckService:
        return check_service(self._site.device, self._site.offers)

    def before(self, target: str) -> Shown:
        """An answer under another model would mislead; its scale is drawn once it is known."""
        if not self._service.is_warm(target, True):
            return BEFORE, verdict_sketch(), ""
        return BEFORE, verdict_figure(self._service.scale(target, True)), ""

    def asked_in(self, query: Mapping[str, str]) -> list[str | None]:
        """The model and the caption that an address asks for: `?check-model=...&caption=...`."""
        model = query.get("check-model")
        is_offered = model in [offer.name for offer in self._site.offers]
        return [model if is_offered else None, query.get("caption")]

    def changed(self, target: str, number: float | None) -> Any:
        """An answer about what stood in the form before would mislead, also one still to come."""
        return sent(About.FORM, self.before(target), number)

    def dropped(
        self, target: str, caption: str, answered: str | None, number: float | None
    ) -> tuple[Any, ...]:
        """Another picture, to which the caption of the one before does not belong."""
        of_example = any(caption == examples(target)[kind].caption for kind in self._kinds)
        is_old = bool(caption) and (of_example or caption == answered)
        return self.changed(target, number), "" if is_old else gr.skip()

    def turned(self, target: str, number: float | None) -> Any:
        """Another sub-tab is no place for an answer; the example may stay, which names itself."""
        return sent(About.PLACE, self.before(target), number)

    def thumbnails(self, target: str) -> list[Any]:
        """Another model has examples of its own."""
        return [gr.Button(icon=str(served(target, kind))) for kind in self._kinds]

    @property
    def _kinds(self) -> tuple[str, ...]:
        return KINDS if has_examples(self._site.offers) else ()

    def recaptioned(self, target: str) -> Any:
        """An answer about another caption would mislead; an example's own is no other."""
        return sent(About.CAPTION, self.before(target), None)

    def check_one(
        self,
        picture: str | None,
        caption: str,
        with_evidence: bool,
        target: str,
        number: float | None,
        request: gr.Request,
    ) -> Any:
        """The answer about the picture, and the truth about an example."""

        def check(pay: Pay) -> Shown:
            if picture is None:
                raise DataError("Drop a picture first, or choose an example.")
            file = Path(picture)
            found = self._service.check(file, caption, target, pay=pay)
            given = {file.name: file} if with_evidence else None
            return self._shown(found, truth_of(file, target), given, caption)

        return self._answered(check, target, number, request, caption)

    def check_several(
        self,
        files: dict[str, Path],
        with_evidence: bool,
        target: str,
        number: float | None,
        request: gr.Request,
    ) -> Any:
        """The answers about the set."""

        def check(pay: Pay) -> Shown:
            if not files:
                raise DataError(f"Drop 2 to {MAX_PICTURES} pictures first.")
            found = self._service.check_set(files, target, pay=pay)
            return self._shown(found, given=files if with_evidence else None)

        return self._answered(check, target, number, request)

    def compare(
        self,
        used: dict[str, Path],
        unused: dict[str, Path],
        fdr: float,
        with_evidence: bool,
        target: str,
        number: float | None,
        request: gr.Request,
    ) -> Any:
        """The answer about pictures in question against unused ones."""

        def compared(pay: Pay) -> Shown:
            checked = check_against_unused(
                self._service,
                target,
                used or {},
                unused or {},
                fdr or None,
                self._site.device,
                pay,
                with_evidence,
            )
            figure = p_figure(checked.found.finding)
            return unused_verdict(checked), figure, unused_details(checked)

        return self._answered(compared, target, number, request)

    def fill(self, kind: str) -> Callable[..., Any]:
        """The handler that puts an example into the form."""

        @page_errors
        def filled(target: str, number: float | None) -> tuple[Any, ...]:
            caption = examples(target)[kind].caption
            return self.changed(target, number), str(served(target, kind)), caption

        return filled

    def _answered(
        self,
        answered: Callable[[Pay], Shown],
        target: str,
        number: float | None,
        request: gr.Request,
        caption: str | None = None,
    ) -> Any:
        """An answer, or why there is none, which is about no caption."""
        try:
            with self._site.allowance.paying(client_id(request)) as pay:
                said, figure, details = answered(pay)
        except MiagymError as error:
            _, figure, _ = self.before(target)
            said, details, caption = refused_html(str(error)), "", None
        return sent(About.ANSWER, (numbered_html(said, number), figure, details), number, caption)

    def _shown(
        self,
        found: Check,
        truth: bool | None = None,
        given: dict[str, Path] | None = None,
        caption: str | None = None,
    ) -> Shown:
        """The verdict, and the marks of the pictures that stand on one scale.

        Args:
            found: the check.
            truth: whether its picture was used; None if nobody knows.
            given: files by name of which evidence is made; None for no evidence.
            caption: of the one picture.
        """
        marks = marks_of(found)
        scale = self._service.scale(found.target, marks.captioned)
        evidence = None
        if given is not None:
            evidence = zipped(recorded(self._service, found, given, caption))
        pictures = self._service.offer(found.target).pictures
        said = verdict_html(found, pictures, truth, evidence=evidence)
        return said, verdict_figure(scale, marks.scores), details_html(found, scale)


def served(target: str, kind: str) -> Path:
    """An example's file where a page may serve it: in the folder for temporary files."""
    file = examples(target)[kind].file
    copy = Path(gettempdir()) / "miagym-examples" / file.name
    if not copy.is_file():
        with _COPYING, replacing(copy) as unfinished:
            shutil.copyfile(file, unfinished)
    return copy
