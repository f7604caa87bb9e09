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
    page.ask("a", 1, awaits=True)
    assert page.answer("a", 1, "cat") and not page.is_stale("a")
    page.write("a", "dog")
    assert page.is_stale("a"), "sent about cat, shown beside dog"
    page.ask("a", 2, awaits=True)
    assert not page.is_stale("a"), "another answer will take its place"
    assert page.answer("a", 2, "dog") and not page.is_stale("a")
    page.ask("a", 3)
    assert page.is_stale("a") and page.is_stale("b")


def test_an_answer_that_is_not_shown_leaves_none_to_wait_for() -> None:
    page = LatestQuestion()
    page.ask("a", 1, awaits=True)
    page.write("a", "dog")
    assert not page.answer("a", 1, "cat") and page.is_stale("a")


def test_a_change_that_comes_late_takes_no_newer_answer_away() -> None:
    page = LatestQuestion()
    page.ask("a", 2, awaits=True)
    assert page.answer("a", 2, "cat")
    assert page.is_past("a", 1) and not page.is_past("a", 2) and not page.is_past("a", None)
    page.ask("a", 1)
    assert not page.is_stale("a")


def test_a_text_that_comes_late_is_none_of_the_form() -> None:
    page = LatestQuestion()
    page.ask("a", 3, text="cat", awaits=True)
    assert not page.write("a", "ca", 2), "typed before the click, brought after it"
    assert page.answer("a", 3, "cat") and not page.write("a", "c", 1)
    assert not page.is_stale("a") and page.is_about("a", "cat")
    assert page.write("a", "cats", 4) and page.is_stale("a")


def test_pages_are_forgotten() -> None:
    page = LatestQuestion()
    for number in range(latest.MAX_PAGES + 5):
        page.ask(str(number), 1)
    assert len(page._last) == latest.MAX_PAGES
