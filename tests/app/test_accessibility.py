"""The page for those who cannot see it well, or use no mouse: axe-core, and the keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from miagym.app.check.examples import MEMBER, examples
from miagym.app.site import TAB_NAMES
from tests.app.visiting import SIZES, faults, watch

MAX_STOPS = 60
IN_SIGHT = """
() => {
  const at = document.activeElement;
  const seen = [at, at.closest("label")].filter(Boolean).map((one) => getComputedStyle(one));
  const isSeen = seen.some((s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2);
  return [at === document.body, isSeen, at.outerHTML.slice(0, 120), at.id];
}
"""


def visited(browser: Browser, url: str, query: str, against: list[str]) -> Page:
    page = browser.new_page(viewport=SIZES["desktop"])  # type: ignore[arg-type]
    watch(page, url, against)
    page.goto(f"{url}?{query}")
    page.get_by_role("tab", name="About").wait_for()
    return page


def check_one(page: Page) -> None:
    page.set_input_files(
        "#check-picture input[type=file]", str(examples("clipart-overfit")[MEMBER].file)
    )
    page.wait_for_selector("#check-verdict [role=status]")
    assert page.locator("#check-picture img").first.get_attribute("alt") == "your picture"
    page.locator("#check-details summary").click()


def check_a_set(page: Page) -> None:
    page.get_by_role("tab", name="Several").click()
    files = [str(one.file) for one in examples("clipart-overfit").values()]
    page.set_input_files("#check-files input[type=file]", files)
    page.wait_for_selector("#check-files tr >> nth=2")
    page.locator("#check-several").click()
    page.wait_for_selector("#check-verdict [role=status]:has-text('set')")
    page.locator("#check-details summary").click()


def check_without_pictures(page: Page) -> None:
    page.get_by_role("tab", name="Against unused").click()
    page.locator("#check-compare").click()
    page.wait_for_selector("#check-verdict [role=status]:has-text('Not checked')")


def open_budgets(page: Page) -> None:
    page.locator("#evaluate-more button").first.click()


def play_a_picture(page: Page) -> None:
    page.locator("#play-begin").click()
    page.get_by_role("button", name="Vary slightly").click()
    page.locator(".play-answer").wait_for()


def give_a_verdict(page: Page) -> None:
    page.locator("#play-verdict").click()
    page.locator(".play-truth").wait_for()


USES = {
    "check": (check_one, check_a_set, check_without_pictures),
    "evaluate": (open_budgets,),
    "play": (play_a_picture, give_a_verdict),
}
"""What is done on a tab, step by step, before axe-core looks again."""


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", TAB_NAMES)
def test_axe_core_finds_no_fault(browser: Browser, url: str, tab: str, theme: str) -> None:
    against: list[str] = []
    page = visited(browser, url, f"tab={tab}&__theme={theme}", against)
    page.wait_for_selector(f"#tab-{tab}-button[aria-selected=true]")
    if tab == "check":  # the answered example is drawn once plotly has arrived
        page.locator(".js-plotly-plot").first.wait_for()
    page.wait_for_timeout(1000)  # colours of a tab fade in
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert faults(page) == []
    for use in USES.get(tab, ()):
        use(page)
        page.wait_for_timeout(700)
        assert faults(page) == [], use.__name__
    page.close()
    assert against == []


CONTROLS = """
() => {
  const isChosen = (one) => one.checked || !document.querySelector(
    `input[type=radio][name="${one.name}"]:checked`);
  const controls = "button, input, select, textarea, a[href], summary, [tabindex]";
  return [...document.querySelectorAll(controls)].filter((one) =>
    one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.disabled
    && one.tabIndex >= 0 && one.getBoundingClientRect().width > 1
    && (one.type !== "radio" || isChosen(one)));
}
"""
"""What can be used on a page; of radio buttons of one name, the chosen one."""


def stops(page: Page) -> list[str]:
    """Ids of all stops of the Tab key: each can be seen, and every control is one."""
    ids, unseen = [], []
    page.evaluate(f"window.notReached = new Set(({CONTROLS})())")
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        page.evaluate("window.notReached.delete(document.activeElement)")
        is_nowhere, is_seen, html, name = page.evaluate(IN_SIGHT)
        if is_nowhere:
            break
        ids.append(name)
        unseen += [] if is_seen else [html]
    assert unseen == []
    html = "[...window.notReached].map((one) => one.outerHTML.slice(0, 120))"
    assert page.evaluate(html) == []
    return ids


@pytest.mark.slow
def test_the_check_tab_by_keyboard_alone(browser: Browser, url: str) -> None:
    """Every stop can be seen, and an example is asked about without a mouse."""
    against: list[str] = []
    page = visited(browser, url, "", against)
    examples = {"check-example-0", "check-example-1", "check-example-2"}
    assert {"check-one"} | examples <= set(stops(page))
    page.locator("#check-example-1").focus()
    page.keyboard.press("Enter")
    verdict = page.locator("#check-verdict:has([role=status])")
    expect(verdict).to_contain_text("Cannot tell")
    page.close()
    assert against == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tab", "reaches"),
    [
        ("evaluate", "evaluate-run"),
        ("audit", "audit-run"),
        ("play", "play-begin"),
        ("about", "tab-about-button"),
    ],
)
def test_other_tabs_by_keyboard_alone(browser: Browser, url: str, tab: str, reaches: str) -> None:
    against: list[str] = []
    page = visited(browser, url, f"tab={tab}", against)
    page.wait_for_selector(f"#tab-{tab}-button[aria-selected=true]")
    if tab == "evaluate":  # attacks beyond the access leave the form once it has loaded
        page.locator("#evaluate-attacks input[name=sima]").wait_for()
        expect(page.locator("#evaluate-attacks input[name=gradient-masking]")).to_have_count(0)
    assert reaches in stops(page)
    page.close()
    assert against == []
