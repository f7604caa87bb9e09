"""Progress for machines: JSON lines on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TextIO

import typer

from miagym.cli.shared.failing import FAILED, sentence_of
from miagym.errors import MiagymError


class JsonProgress:
    """Writes a line for each phase, each step and each sentence; a `Progress`.

    Lines are objects whose `event` is "phase" (`label`, `steps`), "step" (`label`, `done`,
    `steps`), "said" (`text`) or "failed" (`text`), and whose `seconds` count from the first one.

    Args:
        stream: where lines go; by default stderr as it is then.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._start = time.monotonic()
        self._lock = Lock()

    def __call__(self, label: str, steps: int) -> Callable[[], None]:
        self._write(event="phase", label=label, steps=steps)
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            self._write(event="step", label=label, done=done, steps=steps)

        return step

    def say(self, sentence: str) -> None:
        """What a person would have been told."""
        self._write(event="said", text=sentence)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What goes wrong within is a line too, and ends the command.

        Raises:
            typer.Exit: with the exit code of what goes wrong.
        """
        try:
            yield
        except BrokenPipeError:  # nobody reads on
            raise
        except (MiagymError, OSError) as error:
            self._write(event="failed", text=sentence_of(error))
            raise typer.Exit(FAILED) from error

    def _write(self, **line: Any) -> None:
        line["seconds"] = round(time.monotonic() - self._start, 3)
        with self._lock:
            print(json.dumps(line), file=self._stream or sys.stderr, flush=True)
