"""Figures of the page stay whole while a visitor goes about: edges, curves, width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.app.visiting import SIZES, watch

CUT_BY_AN_ADDRESS = """
() => [...document.querySelectorAll(".js-plotly-plot [clip-path]")]
  .map((one) => one.getAttribute("clip-path")).filter((by) => by.includes("//"))
"""
TOO_WIDE = """
() => [...document.querySelectorAll(".figure")].filter((one) => one.checkVisibility())
  .filter((one) => one.querySelector(".main-svg").getBoundingClientRect().width > one.clientWidth)
  .map((one) => one.id)
"""


@pytest.mark.slow
def test_figures_stay_whole_when_the_address_changes_and_parts_unfold(
    browser: Browser, url: str
) -> None:
    page, against = browser.new_page(viewport=SIZES["phone"]), []  # type: ignore[arg-type]
    watch(page, url, against)
    page.goto(f"{url}?tab=evaluate")
    page.locator("#evaluate-roc .js-plotly-plot").wait_for()
    assert page.locator(".js-plotly-plot [clip-path]").count() > 0
    assert page.evaluate(CUT_BY_AN_ADDRESS) == []  # which the next click would make another

    # A run that ends while the figure is folded draws it where it has no width.
    more = page.locator("#evaluate-more button").first
    more.click()
    page.locator("#evaluate-budgets .js-plotly-plot").wait_for()
    more.click()
    for name in ("rediffuse", "sima", "loss"):
        page.locator("#evaluate-attacks").get_by_label(name, exact=True).uncheck()
    page.locator("#evaluate-candidates input[type=number]").fill("20")
    page.keyboard.press("Tab")
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-status")).to_contain_text("Done")
    more.click()
    expect(page.locator("#evaluate-budgets .js-plotly-plot")).to_contain_text("No attack asked")
    page.wait_for_timeout(700)
    assert page.evaluate(TOO_WIDE) == []
    page.close()
    assert against == []
