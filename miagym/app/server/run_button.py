"""Run and Stop buttons: a job that a visitor starts, watches and cancels, one for each open page.

Gradio's own `cancels` is not used. It asks the server to cancel, and until the answer is there a
click on Run is dropped without a word; an event that follows the click on Stop does not wait for
it. Here Stop only tells the run, which says its last word and ends as any other does, and Run is
disabled until the browser has seen that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Generic, TypeVar

import gradio as gr
from anyio.to_thread import run_sync
from gradio.events import Dependency

from miagym.app.html import part, script
from miagym.app.server.errors import APOLOGY, page_errors
from miagym.app.server.jobs import JobQueue, Work, following
from miagym.errors import MiagymError, RateLimitExceeded

T = TypeVar("T")

DONE = "Done."


@dataclass(frozen=True)
class ButtonJob(Generic[T]):
    """What a Run button starts.

    Args:
        queue: where it waits for its turn.
        work: given the request and the values of the form, what is to be done, already paid.
        shown: the result of the work, as values of the components that show it.
        stopped: what is said once it was stopped.
    """

    queue: JobQueue
    work: Callable[..., Work[T]]
    shown: Callable[[T], Sequence[Any]]
    stopped: str


class RunningJobs:
    """Jobs under way by the page (Gradio's session) that started them."""

    def __init__(self) -> None:
        self._cancelled: dict[str | None, Event] = {}
        self._lock = Lock()

    @contextmanager
    def running(self, page: str | None) -> Iterator[Event]:
        """Context of a job; gives the event that is set once it is to stop.

        Raises:
            RateLimitExceeded: if the page has one already.
        """
        with self._lock:
            if page in self._cancelled:
                raise RateLimitExceeded(
                    "A run of this page is on; stop it, or wait until it is done."
                )
            cancelled = self._cancelled[page] = Event()
        try:
            yield cancelled
        finally:
            with self._lock:
                del self._cancelled[page]

    def stop(self, page: str | None) -> None:
        """Cancels the job of a page, if there is one."""
        with self._lock:
            if page in self._cancelled:
                self._cancelled[page].set()


@dataclass(frozen=True)
class RunAndStop:
    """A button that starts a job, one that stops it, and its progress."""

    start: gr.Button
    stop: gr.Button
    status: gr.HTML
    _jobs: RunningJobs = field(default_factory=RunningJobs)

    @classmethod
    def build(cls, label: str, name: str) -> RunAndStop:
        """Lays the three of them out; `name` begins the id of each."""
        with gr.Row():
            start = gr.Button(label, variant="primary", elem_id=f"{name}-run", min_width=80)
            stop = gr.Button("Stop", elem_id=f"{name}-stop", min_width=80, interactive=False)
        return cls(start, stop, gr.HTML(part("status", ""), elem_id=f"{name}-status"))

    def wire(self, job: ButtonJob[Any], form: Sequence[Any], shown: Sequence[Any]) -> Dependency:
        """What the buttons do; gives what other events may follow.

        Args:
            job: what is started.
            form: components that say what is asked for.
            shown: components that show its result, the first of them in words.
        """
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        both = [self.start, self.stop]
        running = self.start.click(
            page_errors(self._steps(job, shown)),
            inputs=list(form),
            outputs=[self.status, *both, *shown],
            concurrency_id=self.start.elem_id,
            concurrency_limit=None,  # they wait in their `JobQueue`, where visitors can stop
            **quiet,
        )
        # Only what follows a run comes once the browser holds it for ended.
        for ended in (running.success, running.failure):
            ended(lambda: _enabled(start=True), outputs=both, queue=False, **quiet)
        show = script("into_sight.js", shown[0].elem_id, str(self.status.elem_id), DONE)
        running.success(None, js=show, api_visibility="private")
        self.stop.click(self._stop, queue=False, **quiet)
        return running

    def _stop(self, request: gr.Request) -> None:
        self._jobs.stop(request.session_hash)

    def _steps(self, job: ButtonJob[Any], shown: Sequence[Any]) -> Any:
        """The handler of Run: how far it is, step by step, and then what it found."""

        async def steps(request: gr.Request, *asked: Any) -> AsyncIterator[dict[Any, Any]]:
            try:
                with self._jobs.running(request.session_hash) as cancelled:
                    buttons = zip((self.start, self.stop), _enabled(start=False), strict=True)
                    yield {self.status: part("progress", "opening", 0, 1), **dict(buttons)}
                    work = await run_sync(lambda: job.work(request, *asked))
                    ticket = job.queue.submit(work, cancelled)
                    async with aclosing(following(ticket)) as steps:
                        async for one in steps:
                            yield {self.status: part("progress", one.label, one.done, one.total)}
                    if cancelled.is_set():
                        yield {self.status: part("status", job.stopped)}
                        return
                    values = await run_sync(lambda: job.shown(ticket.future.result()))
                    result = zip(shown, values, strict=True)
                    yield {self.status: part("status", DONE), **dict(result)}
            except MiagymError as error:  # said where the run would be; a toast would say it twice
                yield {self.status: part("status", str(error))}
                raise gr.Error(str(error), visible=False, print_exception=False) from error
            except Exception:  # a bar would seem to go on
                yield {self.status: part("status", APOLOGY)}
                raise

        return steps


def _enabled(*, start: bool) -> tuple[Any, Any]:
    """Start and Stop: one of them can be pressed."""
    return gr.update(interactive=start), gr.update(interactive=not start)
