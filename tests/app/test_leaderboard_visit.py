"""The leaderboard of a real host, as a visitor reads it in a real browser."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, expect

from miagym.app.leaderboard.reading import NOBODY
from miagym.hosting.suite import HostedTask
from tests.app.visiting import SIZES, faults, served, watch
from tests.hosting.serving import TASK, Hosted, serving

PROGRAM = """
import sys
from miagym.app.page import build
from miagym.app.site import Site

site = Site(host_url=sys.argv[1])
page = build(site)
"""

TABS = ["Check an image", "Evaluate", "Is the split fair?", "Play", "Leaderboard", "About"]


@contextmanager
def hosted_page(folder: Path, *tasks: HostedTask) -> Iterator[tuple[Hosted, ExitStack, str]]:
    """A host with one submission, what ends it, and the address of a page beside it."""
    with ExitStack() as stack:
        hosting = stack.enter_context(ExitStack())
        hosted = hosting.enter_context(serving(folder / "host.sqlite", *tasks))
        hosted.key("ada")
        submit(hosted, "ada")
        for task in tasks:  # measured once, which takes as long as it takes
            url = f"{hosted.address}/leaderboard/{task.name}"
            assert httpx.get(url, timeout=120).status_code == 200
        yield hosted, hosting, stack.enter_context(served(PROGRAM, hosted.address)).address


@pytest.mark.slow
@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_a_visitor_reads_the_board_of_a_real_host(
    browser: Browser, tmp_path: Path, shots: Path, size: str, theme: str
) -> None:
    against: list[str] = []
    other = dataclasses.replace(TASK, name="other")
    with hosted_page(tmp_path, TASK, other) as (hosted, hosting, url):
        page = browser.new_page(viewport=SIZES[size])
        watch(page, url, against)
        page.goto(f"{url}?__theme={theme}")
        tabs = page.locator("button[role=tab][id^=tab-]:visible")
        expect(tabs).to_have_text(TABS)
        page.get_by_role("tab", name="Leaderboard", exact=True).click()
        board = page.locator("#leaderboard-board")
        expect(board.locator("tbody tr")).to_have_count(2)
        expect(board).to_contain_text("blind (asks nothing)")
        expect(board).to_contain_text("0.500[")
        expect(page.locator("#leaderboard-figure .js-plotly-plot")).to_contain_text("ada")
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
        page.screenshot(path=shots / f"leaderboard-{size}-{theme}.png", full_page=True)
        page.get_by_label("other", exact=True).check()
        expect(board).to_contain_text("Nobody has submitted yet.")
        page.reload()  # the address keeps the tab, which reads by itself
        expect(board.locator("tbody tr")).to_have_count(2)
        submit(hosted, "ada")
        page.get_by_role("button", name="Refresh").click()
        expect(board.locator("tr:has-text('ada') td").last).to_have_text("2")
        hosting.close()
        page.get_by_role("button", name="Refresh").click()
        expect(board).to_have_text(NOBODY)
        page.close()
    assert against == []


@pytest.mark.long
@pytest.mark.slow
def test_axe_core_finds_no_fault_on_the_board(browser: Browser, tmp_path: Path) -> None:
    against: list[str] = []
    with hosted_page(tmp_path, TASK) as (_, hosting, url):
        pages = {}
        for theme in ("light", "dark"):
            page = pages[theme] = browser.new_page(viewport=SIZES["desktop"])
            watch(page, url, against)
            page.goto(f"{url}?tab=leaderboard&__theme={theme}")
            expect(page.locator("#leaderboard-figure .js-plotly-plot")).to_contain_text("ada")
            page.wait_for_timeout(1000)  # colours of a tab fade in
            assert faults(page) == [], theme
        hosting.close()
        for theme, page in pages.items():
            page.get_by_role("button", name="Refresh").click()
            expect(page.locator("#leaderboard-board")).to_have_text(NOBODY)
            page.wait_for_timeout(1000)
            assert faults(page) == [], theme
            page.close()
    assert against == []


def submit(hosted: Hosted, player: str) -> None:
    names = hosted.host.table(player, "small").keys()
    hosted.host.submit(player, "small", "\n".join(["ids,score", *(f"{n},0.5" for n in names)]))
