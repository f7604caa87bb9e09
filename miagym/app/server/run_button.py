"""Run and Stop: a run that a visitor starts, watches and ends; one at a time on each open page.

Gradio's own `cancels` is not used. It asks the server to cancel, and until the answer is there a
click on Run is dropped without a word; an event that follows the click on Stop does not wait for
it. Here Stop only tells the run, which says its last word and ends as any other does, and Run is
disabled until the browser has seen that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Generic, TypeVar

import gradio as gr

from miagym.app.parts import into_sight, said, working
from miagym.app.server.errors import in_sentences
from miagym.app.server.jobs import Line, Step
from miagym.errors import MiagymError, RateLimitExceeded
from miagym.progress import Progress

T = TypeVar("T")

WATCHED = 8
"""Runs of one kind that may be watched at once, each in a thread. They wait for each other in a
`Line`, where their visitors see that they wait, and can stop."""

DONE = "Done."
PHONE = 'matchMedia("(max-width: 768px)").matches'
"""Where the result stands below the form. Elsewhere it does not pull away who reads on."""


@dataclass(frozen=True)
class Job(Generic[T]):
    """What a Run button starts.

    Args:
        line: where it waits for its turn.
        asked: given the request and the values of the form, the work that is to be done, paid for.
        seen: the result of the work, as values of the components that show it.
        stopped: what is said once it was stopped.
    """

    line: Line
    asked: Callable[..., Callable[[Progress], T]]
    seen: Callable[[T], Sequence[Any]]
    stopped: str


class Runs:
    """The runs that are on, by the page (Gradio's session) that they belong to."""

    def __init__(self) -> None:
        self._unwanted: dict[str | None, Event] = {}
        self._lock = Lock()

    @contextmanager
    def one(self, page: str | None) -> Iterator[Event]:
        """While a run is on; gives what is set once it is to stop.

        Raises:
            RateLimitExceeded: if the page has one already.
        """
        with self._lock:
            if page in self._unwanted:
                raise RateLimitExceeded(
                    "A run of this page is on; stop it, or wait until it is done."
                )
            unwanted = self._unwanted[page] = Event()
        try:
            yield unwanted
        finally:
            with self._lock:
                del self._unwanted[page]

    def stop(self, page: str | None) -> None:
        """Ends the run of a page, if there is one."""
        with self._lock:
            if page in self._unwanted:
                self._unwanted[page].set()


@dataclass(frozen=True)
class RunAndStop:
    """A button that starts, one that stops, and a line that tells how far a run is."""

    start: gr.Button
    stop: gr.Button
    status: gr.HTML
    _runs: Runs = field(default_factory=Runs)

    @classmethod
    def laid_out(cls, label: str, name: str) -> RunAndStop:
        """The three of them, where they are called; `name` begins the id of each."""
        with gr.Row():
            start = gr.Button(label, variant="primary", elem_id=f"{name}-run", min_width=80)
            stop = gr.Button("Stop", elem_id=f"{name}-stop", min_width=80, interactive=False)
        return cls(start, stop, gr.HTML(said(""), elem_id=f"{name}-status"))

    def wire(self, job: Job[Any], form: Sequence[Any], shown: Sequence[Any]) -> None:
        """What the buttons do.

        Args:
            job: what is started.
            form: components that say what is asked for.
            shown: components that show its result, the first of them in words.
        """
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        both = [self.start, self.stop]
        running = self.start.click(
            in_sentences(self._steps(job, shown)),
            inputs=list(form),
            outputs=[self.status, *both, *shown],
            concurrency_id=self.start.elem_id,
            concurrency_limit=WATCHED,
            **quiet,
        )
        # Only what follows a run comes once the browser holds it for ended.
        for ended in (running.success, running.failure):
            ended(lambda: _enabled(start=True), outputs=both, queue=False, **quiet)
        found = f'document.getElementById("{self.status.elem_id}").textContent.includes("{DONE}")'
        show = into_sight(shown[0].elem_id, when=f"{found} && {PHONE}")
        running.success(None, js=show, api_visibility="private")
        self.stop.click(self._stop, queue=False, **quiet)

    def _stop(self, request: gr.Request) -> None:
        self._runs.stop(request.session_hash)

    def _steps(self, job: Job[Any], shown: Sequence[Any]) -> Any:
        """The handler of Run: how far it is, step by step, and then what it found."""

        def steps(request: gr.Request, *asked: Any) -> Iterator[dict[Any, Any]]:
            try:
                with self._runs.one(request.session_hash) as unwanted:
                    buttons = zip((self.start, self.stop), _enabled(start=False), strict=True)
                    yield {self.status: working("opening", 0, 1), **dict(buttons)}
                    work = job.asked(request, *asked)
                    with closing(job.line.in_steps(work, unwanted)) as told:
                        for one in told:
                            if not isinstance(one, Step):
                                seen = zip(shown, job.seen(one), strict=True)
                                yield {self.status: said(DONE), **dict(seen)}
                                return
                            yield {self.status: working(one.label, one.done, one.total)}
                    yield {self.status: said(job.stopped)}
            except MiagymError as error:
                yield {self.status: said(str(error))}
                raise

        return steps


def _enabled(*, start: bool) -> tuple[Any, Any]:
    """Start and Stop: one of them can be pressed."""
    return gr.update(interactive=start), gr.update(interactive=not start)
