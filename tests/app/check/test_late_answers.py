"""Answers that come late: none is shown beside a form that has changed, none takes a newer away."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from miagym.app.check.examples import MEMBER, examples
from miagym.app.check.sending import About
from miagym.app.html import script
from tests.app.visiting import Served, check_answer, watch

DELIVER = f"""
([asked, sent]) => {{
  const show = {script("show_answer.js")};
  window.miagymShown = undefined;
  window.miagymAsked = asked;
  let stands = "";
  return sent.map(([parcel, caption]) => {{
    const [said] = show(parcel, caption);
    return stands = said.__type__ === "update" ? stands : said;
  }});
}}
"""
"""What stands on a page after each of what is sent to it, each beside a caption in the form."""
ANSWER, FORM, PLACE, CAPTION = About


def parcel(about: About, number: int | None, caption: str | None = None) -> dict[str, Any]:
    text = f"{about} {number or caption}"
    return {"about": about, "number": number, "caption": caption, "shown": [text, text, text]}


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Page:
    return browser.new_page()


def stands(page: Page, asked: int, caption: str | None, *parcels: dict[str, Any]) -> str:
    """At the end, beside a caption that stays."""
    return page.evaluate(DELIVER, [asked, [[one, caption] for one in parcels]])[-1]


@pytest.mark.parametrize("last", [ANSWER, FORM])
def test_the_newest_stands_in_whatever_order_they_come(blank: Page, last: About) -> None:
    """An answer, another tab, a change, and then an answer or a change."""
    sent = [parcel(ANSWER, 1), parcel(PLACE, 2), parcel(FORM, 3), parcel(last, 4)]
    for order in permutations(sent):
        assert stands(blank, 4, "", *order) == f"{last} 4"


def test_an_answer_stands_while_its_caption_does(blank: Page) -> None:
    about_cat = parcel(ANSWER, 1, "cat")
    changed = parcel(CAPTION, None, "now")
    assert stands(blank, 1, "cat", about_cat, changed) == "answer 1"
    assert stands(blank, 1, "dog", about_cat) == "", "it changed while it was asked about"
    assert stands(blank, 1, None, parcel(ANSWER, 1, "")) == "answer 1", "no text is an empty one"
    a_set = parcel(ANSWER, 1)
    assert stands(blank, 1, "dog", a_set, changed) == "answer 1", "it is about no caption"


def test_an_answer_goes_when_its_caption_is_changed(blank: Page) -> None:
    about_cat, changed = parcel(ANSWER, 1, "cat"), parcel(CAPTION, None, "now")
    sent = [[about_cat, "cat"], [changed, "dog"], [about_cat, "dog"]]
    assert blank.evaluate(DELIVER, [1, sent]) == ["answer 1", "caption now", "caption now"]


def test_another_tab_takes_an_answer_away_and_no_example(blank: Page) -> None:
    assert stands(blank, 2, "", parcel(PLACE, 2)) == ""
    assert stands(blank, 2, "", parcel(ANSWER, 2), parcel(PLACE, 3)) == "place 3"


@pytest.mark.slow
def test_a_change_whose_news_come_late_takes_no_newer_answer_away(
    browser: Browser, page: Served
) -> None:
    """The network brings what was asked first after what was asked last."""
    against: list[str] = []
    window = browser.new_page()
    watch(window, page.address, against)
    window.goto(page.address)
    window.wait_for_selector("#check-figure .js-plotly-plot .barlayer")
    file = Path(examples("clipart-overfit")[MEMBER].file)
    picture = "#check-picture input[type=file]"
    assert check_answer(window, lambda: window.set_input_files(picture, str(file)))
    held: list[tuple[Route, APIResponse]] = []
    window.route("**/gradio_api/run/predict*", lambda route: held.append((route, route.fetch())))
    window.get_by_role("tab", name="Several").click()
    window.get_by_role("tab", name="One picture").click()
    check = window.get_by_role("button", name="Check", exact=True)
    said = check_answer(window, check.click)
    assert held
    for route, response in held:
        route.fulfill(response=response)
    window.wait_for_timeout(2000)
    expect(window.locator("#check-verdict [data-question]")).to_contain_text(said.split("\n")[0])
    window.close()
    assert against == []
