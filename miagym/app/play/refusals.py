"""Why the last moves were refused, by open page: a toast is gone before it is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from miagym.app.server.errors import APOLOGY
from miagym.errors import MiagymError

MAX_PAGES = 1_000


class Refusals:
    """The last refusal of each open page."""

    def __init__(self) -> None:
        self._said: OrderedDict[str | None, str] = OrderedDict()
        self._lock = Lock()

    def last(self, page: str | None) -> str:
        """Why a page's last move was refused; "" if it was not."""
        with self._lock:
            return self._said.get(page, "")

    @contextmanager
    def noted(self, page: str | None) -> Iterator[None]:
        """Context of a move, of whose error is noted what a visitor may read; it is raised on."""
        with self._lock:
            self._said.pop(page, None)
        try:
            yield
        except Exception as error:
            with self._lock:
                self._said[page] = str(error) if isinstance(error, MiagymError) else APOLOGY
                while len(self._said) > MAX_PAGES:
                    self._said.popitem(last=False)
            raise
