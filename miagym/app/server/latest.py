"""Latest question of each open page: an answer to an earlier one is not shown any more."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from miagym.app.html import script

NUMBERED = script("numbered.js")
"""Gives what an open page asks its number, in the browser, at the click: as the last value."""
MAX_PAGES = 10_000


@dataclass(frozen=True)
class Asked:
    """The number of what a page asked last, and whether an answer stands on the page."""

    number: float = 0
    is_answered: bool = False


class LatestQuestion:
    """What open pages asked last; a page numbers its own questions."""

    def __init__(self) -> None:
        self._last: OrderedDict[str | None, Asked] = OrderedDict()
        self._lock = Lock()

    def ask(self, page: str | None, number: float | None) -> bool:
        """A page has asked, or changed, something: what it asked before is past.

        Returns:
            whether an answer to that stands on the page.
        """
        with self._lock:
            before = self._last.get(page, Asked())
            self._last[page] = Asked(max(number or 0, before.number))
            self._last.move_to_end(page)
            while len(self._last) > MAX_PAGES:
                self._last.popitem(last=False)
        return before.is_answered

    def answer(self, page: str | None, number: float | None) -> bool:
        """Whether to show an answer: nothing was asked since.

        A program that does not count is always answered.
        """
        with self._lock:
            last = self._last.get(page, Asked())
            if number and number < last.number:
                return False
            self._last[page] = replace(last, is_answered=True)
            return True
