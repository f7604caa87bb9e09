"""What the address of the page keeps: the tab and the form; and what a refresh keeps: the game."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

from miagym.app.evaluate.address import access_for, asked_in
from miagym.app.evaluate.service import EvaluationRequest
from miagym.app.play.games import Games
from tests.app.visiting import watch

DEFAULT = EvaluationRequest("clipart-overfit", ("sima",))


def test_an_address_holds_a_form() -> None:
    query = {"model": "clipart-realistic", "attacks": "loss,gradient-masking", "candidates": "40"}
    found = asked_in({**query, "queries": "4"}, DEFAULT)
    assert found == EvaluationRequest("clipart-realistic", ("loss", "gradient-masking"), 40, 4)
    assert access_for(found) == "white" and access_for(DEFAULT) == "grey"
    assert asked_in({"tab": "evaluate"}, DEFAULT) is None


@pytest.mark.parametrize(
    "query", [{"model": "/etc"}, {"attacks": "mofit"}, {"candidates": "many"}, {"queries": "99"}]
)
def test_an_address_from_anybody_asks_for_nothing_else(query: dict[str, str]) -> None:
    assert asked_in(query, DEFAULT) is None


def test_only_who_has_the_key_resumes_a_game() -> None:
    games, session = Games(), object()
    key = games.add("me", "before", session)  # type: ignore[arg-type]
    assert games.resume("another", "after") is None
    assert games.resume(key, "after") is session and len(games) == 1
    assert games.get("after") is session


@pytest.mark.slow
def test_a_refresh_keeps_tab_form_and_game(browser: Browser, url: str) -> None:
    page, against = browser.new_page(), []
    watch(page, url, against)
    page.goto(url)
    page.get_by_role("tab", name="Evaluate").click()
    page.locator("#evaluate-attacks").get_by_label("loss", exact=True).uncheck()
    page.wait_for_url("**attacks=rediffuse*")
    page.reload()
    box = page.locator("#evaluate-attacks").get_by_label("loss", exact=True)
    expect(box).to_be_visible()
    expect(box).not_to_be_checked()

    page.get_by_role("tab", name="Play").click()
    page.locator("#play-begin").click()
    page.get_by_role("button", name="Vary slightly").click()
    expect(page.locator(".play-answer")).to_have_count(1)
    asked = page.locator(".play-candidate img").get_attribute("src")
    page.reload()
    expect(page.locator(".play-answer")).to_have_count(1)
    assert page.locator(".play-candidate img").get_attribute("src") == asked
    page.close()
    # What a reload breaks off is no fault.
    assert [one for one in against if "Abort" not in one and "errored out" not in one] == []


@pytest.mark.slow
def test_what_a_visitor_changed_before_the_address_was_read_stays(
    browser: Browser, url: str
) -> None:
    page, against = browser.new_page(), []
    watch(page, url, against)
    held: list[Route] = []
    page.route(
        "**/run/predict*", lambda route: held.append(route)
    )  # what the server says at load is late
    asks = "model=clipart-realistic&attacks=loss,gradient-masking&candidates=40&caption=cat"
    page.goto(f"{url}?tab=evaluate&{asks}")
    box = page.locator("#evaluate-attacks").get_by_label("sima", exact=True)
    box.uncheck()
    page.get_by_role("tab", name="Check an image").click()
    page.get_by_label("Caption (optional)").fill("a dog")
    page.get_by_role("tab", name="Evaluate").click()
    assert held
    while held:
        held.pop().continue_()
    page.unroute("**/run/predict*")
    page.wait_for_url("**model=clipart-realistic*attacks=rediffuse*candidates=40*")
    expect(page.locator("#evaluate-candidates input[type=number]")).to_have_value("40")
    expect(page.locator("#evaluate-target input")).to_have_value("clipart-realistic")
    chosen = page.locator("#evaluate-attacks input:checked")
    expect(chosen).to_have_count(3)
    expect(box).not_to_be_checked()
    expect(page.get_by_label("white box")).to_be_checked()
    expect(page.locator("#evaluate-attacks").get_by_label("gradient-masking")).to_be_visible()
    page.get_by_role("tab", name="Check an image").click()
    expect(page.get_by_label("Caption (optional)")).to_have_value("a dog")
    page.close()

    handed_on = browser.new_page()
    watch(handed_on, url, against)
    handed_on.goto(f"{url}?tab=check&caption=cat")
    expect(handed_on.get_by_label("Caption (optional)")).to_have_value("cat")
    assert handed_on.url == f"{url}?tab=check&caption=cat"  # nobody changed anything
    handed_on.close()
    assert against == []
