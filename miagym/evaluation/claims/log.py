"""The log of a run: who began what, and when; each process has a file of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from miagym.evaluation.claims.process import Process
from miagym.progress import Progress

LOGS = "logs"
"""Folder of the logs within a run; several machines cannot safely append to one file."""


class RunLog:
    """Lines with the time of this machine, in UTC. What cannot be written stops nothing.

    Args:
        folder: the run folder.
        process: who writes.
    """

    def __init__(self, folder: Path, process: Process) -> None:
        host = re.sub(r"[^\w.-]", "-", process.host) or "here"
        self._file = folder / LOGS / f"{host}-{process.pid}.log"

    def write(self, line: str) -> None:
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n")

    def following(self, progress: Progress) -> Progress:
        """Progress that is written down, too."""

        def start(label: str, steps: int) -> Callable[[], None]:
            step, done = progress(label, steps), 0
            self.write(f"{label}: {steps} to do")

            def ended() -> None:
                nonlocal done
                done += 1
                self.write(f"{label}: {done} of {steps}")
                step()

            return ended

        return start

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """Writes how it ended, well or with an error."""
        try:
            yield
        except BaseException as error:
            self.write(f"stopped: {type(error).__name__}: {error}")
            raise
        self.write("finished")
