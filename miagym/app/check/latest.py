"""Latest question of each open page: an answer to an earlier one is not shown any more."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from miagym.app.html import script

NUMBERED = script("numbered.js")
"""Gives what an open page asks its number, in the browser, at the click: as the last value."""
WRITTEN = script("written.js")
"""Numbers a text among these, which asks nothing."""
MAX_PAGES = 10_000


@dataclass(frozen=True)
class Asked:
    """What a page asked last: its number, the text in its form, and the text that was answered."""

    number: float = 0
    text: str | None = None
    text_number: float = 0
    answered: str | None = None
    is_answered: bool = False
    is_awaited: bool = False


class LatestQuestion:
    """What open pages asked last; a page numbers its own questions."""

    def __init__(self) -> None:
        self._last: OrderedDict[str | None, Asked] = OrderedDict()
        self._lock = Lock()

    def ask(
        self,
        page: str | None,
        number: float | None,
        *,
        text: str | None = None,
        awaits: bool = False,
    ) -> bool:
        """A page has asked, or changed, something: what it asked before is past.

        Not so of what the page did before that, and the network brought late.

        Args:
            page: which asked.
            number: of the question, or the change.
            text: that is asked about; None if there is none.
            awaits: whether an answer will come.

        Returns:
            whether an answer to what it asked before stands on the page.
        """
        with self._lock:
            before = self._last.get(page, Asked())
            if not number or number >= before.number:
                asked = replace(before, number=number or before.number, is_awaited=awaits)
                asked = replace(asked, is_answered=False, answered=None)
                self._keep(page, asked if text is None else _written(asked, text, number))
        return before.is_answered

    def is_past(self, page: str | None, number: float | None) -> bool:
        """Whether a page has asked, or changed, something after this number."""
        with self._lock:
            return bool(number) and number < self._last.get(page, Asked()).number

    def write(self, page: str | None, text: str, number: float | None = None) -> bool:
        """A text of the form has become another; by a visitor, or by an example.

        Args:
            page: which.
            text: the new one.
            number: among what the page asks; one that comes late says nothing any more.

        Returns:
            whether an answer about another text stands on the page.
        """
        with self._lock:
            before = self._last.get(page, Asked())
            after = _written(before, text, number)
            if after is before:
                return False
            is_past = before.is_answered and before.answered not in (None, text)
            is_answered = before.is_answered and not is_past
            self._keep(page, replace(after, is_answered=is_answered))
        return is_past

    def is_stale(self, page: str | None) -> bool:
        """Whether an answer on a page is about what was there before, and none is to come."""
        with self._lock:
            last = self._last.get(page, Asked())
        return not (last.is_answered or last.is_awaited)

    def is_about(self, page: str | None, text: str) -> bool:
        """Whether the answer that stands on a page is about this text."""
        with self._lock:
            before = self._last.get(page, Asked())
        return before.is_answered and before.answered == text

    def answer(
        self,
        page: str | None,
        number: float | None,
        text: str | None = None,
        *,
        is_refusal: bool = False,
    ) -> bool:
        """Whether to show an answer: nothing was asked since, and the text is as it was.

        A program that does not count is always answered.

        Args:
            page: which asked.
            number: of the question.
            text: that was asked about; None if there is none.
            is_refusal: whether it says why there is no answer, which is about no text.
        """
        with self._lock:
            last = self._last.get(page, Asked())
            if number and number < last.number:
                return False
            is_about_form = text is None or last.text in (None, text)
            about = None if is_refusal or not is_about_form else text
            answered = replace(last, answered=about, is_answered=is_about_form, is_awaited=False)
            self._keep(page, answered)
            return is_about_form

    def _keep(self, page: str | None, asked: Asked) -> None:
        self._last[page] = asked
        self._last.move_to_end(page)
        while len(self._last) > MAX_PAGES:
            self._last.popitem(last=False)


def _written(asked: Asked, text: str, number: float | None) -> Asked:
    """The same with another text, unless one that was written later is known."""
    if number and number < asked.text_number:
        return asked
    return replace(asked, text=text, text_number=number or asked.text_number)
