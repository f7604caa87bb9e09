"""The whole page, as `python app.py` serves it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.app.visiting import SIZES, served, watch

TABS = {
    "Check an image": "No picture yet",
    "Evaluate": "The demo run",
    "Is the split fair?": "Split",
    "Play": "You are the attacker",
    "About": "What it does not mean",
}


@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_every_tab_opens(browser: Browser, url: str, shots: Path, size: str, theme: str) -> None:
    page, against = browser.new_page(viewport=SIZES[size]), []
    page.set_default_timeout(60_000)
    watch(page, url, against)
    page.goto(f"{url}?__theme={theme}")
    page.get_by_role("tab", name="Check an image").wait_for()
    for number, (name, text) in enumerate(TABS.items()):
        tab = page.get_by_role("tab", name=name, exact=True)
        if not tab.count():  # on a phone, tabs that do not fit are in a menu
            page.locator(".overflow-menu > button").first.click()
            tab = page.locator(".overflow-dropdown button", has_text=name)
        tab.click()
        page.get_by_text(text).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
        page.screenshot(path=shots / f"page-{number}-{size}-{theme}.png", full_page=True)
    page.close()
    assert against == []


def test_a_program_that_ends_without_a_page_fails_with_what_it_said() -> None:
    with pytest.raises(AssertionError, match="no page today"), served("exit('no page today')"):
        pass
