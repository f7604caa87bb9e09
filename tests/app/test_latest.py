"""Answers that come late: none is shown beside a form that has changed."""

from __future__ import annotations

from miagym.app.check import latest
from miagym.app.check.latest import LatestQuestion


def test_an_answer_counts_only_while_nothing_else_was_asked() -> None:
    page = LatestQuestion()
    assert not page.ask("a", 1)
    assert page.answer("a", 1) and page.answer("b", 1)
    assert page.ask("a", 2), "an answer stood there"
    assert not page.answer("a", 1) and not page.ask("a", 3)
    assert page.answer("a", 3)
    assert page.answer("a", None), "a program does not count"


def test_an_answer_counts_only_for_its_text() -> None:
    page = LatestQuestion()
    page.ask("a", 1)
    assert page.answer("a", 1, "cat") and not page.write("a", "cat")
    assert page.is_about("a", "cat") and not page.is_about("a", "dog")
    assert page.write("a", "dog") and not page.write("a", "dogs")
    page.ask("a", 2)
    assert not page.answer("a", 2, "dog"), "it became another while it was asked about"
    page.ask("a", 3)
    assert page.answer("a", 3, "dogs") and page.answer("a", 3), "a set has no text of its own"
    assert page.answer("a", 3, "dogs", is_refusal=True) and not page.is_about("a", "dogs")


def test_an_answer_that_arrives_after_a_change_is_known() -> None:
    page = LatestQuestion()
    page.ask("a", 1)
    assert page.answer("a", 1, "cat") and page.is_answered("a")
    page.write("a", "dog")
    assert not page.is_answered("a"), "sent about cat, shown beside dog"
    page.ask("a", 2)
    assert page.answer("a", 2, "dog") and page.is_answered("a")
    page.ask("a", 3)
    assert not page.is_answered("a") and not page.is_answered("b")


def test_pages_are_forgotten() -> None:
    page = LatestQuestion()
    for number in range(latest.MAX_PAGES + 5):
        page.ask(str(number), 1)
    assert len(page._last) == latest.MAX_PAGES
