"""The whole page, as `python app.py` serves it, used as visitors use it: tab after tab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.app.visiting import SIZES, served, watch

FAINT = """
(least) => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (!text || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      continue;
    if (element.closest(":disabled, script, style, footer, .cm-editor, pre")) continue;
    const style = getComputedStyle(element);
    const ink = channels(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [luminance(ink), luminance(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < least) found.push(`${contrast.toFixed(1)}: ${text.slice(0, 60)}`);
  }
  return found;
}
"""
"""Texts in sight whose contrast (WCAG 2) is below the least; code is coloured by its editor."""


def check(page: Any) -> None:
    expect(page.locator(".masthead").first).to_contain_text("two small image generators")
    expect(page.locator("#check-verdict")).to_contain_text("Looks used")
    expect(page.locator("#check-verdict")).to_contain_text("answered beforehand")
    page.get_by_role("button", name="at the edge").click()
    verdict = page.locator("#check-verdict")
    expect(verdict).to_contain_text("Cannot tell")
    expect(verdict).to_be_in_viewport()
    expect(verdict).to_contain_text("The truth: this one was used")
    page.locator("#check-details summary").click()
    expect(page.locator("#check-details")).to_contain_text("What this does not say")


def evaluate(page: Any) -> None:
    expect(page.locator("#evaluate-finding")).to_contain_text("The demo run")
    number = page.locator("#evaluate-candidates input[type=number]")
    number.fill("20")
    number.press("Tab")
    for name in ("rediffuse", "loss", "pia"):
        page.locator("#evaluate-attacks").get_by_label(name, exact=True).uncheck()
    expect(page.locator("#evaluate-price")).to_contain_text("about 10 seconds on two cores")
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-status")).to_contain_text("Done")
    in_sight(page, "#evaluate-finding")
    table = page.locator("#evaluate-table")
    table.locator("summary").click()
    table.locator("input[type=search]").fill("blind-captions")
    expect(table.locator("#evaluate-rows tr.row:visible")).to_have_count(1)
    table.locator("input[type=search]").fill("")
    table.get_by_role("button", name="AUC").click()
    expect(table.locator("th[aria-sort=descending]")).to_contain_text("AUC")
    for text in ("blind-captions", "sima", "not resolvable with n = 20", "95 % intervals"):
        expect(table).to_contain_text(text)


def in_sight(page: Any, what: str) -> None:
    """On a phone, where the result stands below the form, the page has moved to it."""
    if page.viewport_size == SIZES["phone"]:
        expect(page.locator(what)).to_be_in_viewport()


def audit(page: Any) -> None:
    page.get_by_label("Members are animals").check()
    page.locator("#audit-run").click()
    expect(page.locator("#audit-status")).to_contain_text("Done")
    expect(page.get_by_text("clipart-by-category: shifted").first).to_be_visible()
    in_sight(page, "#audit-verdict")


def play(page: Any) -> None:
    page.locator("#play-begin").click()
    page.get_by_role("button", name="Vary slightly").click()
    expect(page.locator(".play-answer")).to_have_count(1)
    page.locator("#play-slider input[type=range]").fill("80")
    page.locator("#play-verdict").click()
    expect(page.locator(".play-truth")).to_contain_text("in the training set.")
    expect(page.locator(".play-tally")).not_to_contain_text("is playing")


def read(page: Any) -> None:
    expect(page.get_by_role("heading", name="What it does not mean")).to_be_visible()


TABS: dict[str, Callable[[Any], None]] = {
    "Check an image": check,
    "Evaluate": evaluate,
    "Is the split fair?": audit,
    "Play": play,
    "About": read,
}


def open_tab(page: Any, name: str) -> None:
    tab = page.get_by_role("tab", name=name, exact=True)
    expect(tab).to_be_visible()  # tabs wrap, so that none hides in a menu
    tab.click()


@pytest.mark.parametrize(
    ("size", "theme"),
    [("desktop", "light"), pytest.param("phone", "dark", marks=pytest.mark.slow)],
)
def test_every_tab_can_be_used(
    browser: Browser, url: str, shots: Path, size: str, theme: str
) -> None:
    page, against = browser.new_page(viewport=SIZES[size]), []
    watch(page, url, against)
    page.goto(f"{url}?__theme={theme}")
    page.get_by_role("tab", name="Check an image").wait_for()
    faint = {}
    for number, (name, use) in enumerate(TABS.items()):
        open_tab(page, name)
        use(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
        page.screenshot(path=shots / f"page-{number}-{size}-{theme}.png", full_page=True)
        faint[name] = page.evaluate(FAINT, 4.5)
    page.close()
    page = browser.new_page(viewport=SIZES[size])  # the one before would go on with its game
    watch(page, url, against)
    page.goto(f"{url}?tab=play&__theme={theme}")
    expect(page.locator("#play-begin")).to_be_visible()
    page.close()
    assert against == []
    assert not any(faint.values()), faint


def test_a_program_that_ends_without_a_page_fails_with_what_it_said() -> None:
    with pytest.raises(AssertionError, match="no page today"), served("exit('no page today')"):
        pass
