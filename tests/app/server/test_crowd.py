"""A crowd at the page that `python app.py` serves: right answers, or a polite "busy"."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page

from miagym.app.check.service import TARGETS
from miagym.app.server.fair_queue import BUSY, MAX_EVENTS
from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from tests.app.visiting import Served, check_answer, check_answers, watch

pytestmark = pytest.mark.slow
VISITORS = 20
MORE_THAN_WAIT = 300
"""Requests at once, of which 128 may wait."""


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    """Members and non-members, and their captions."""
    data = load_data("clipart-tune")
    folder = tmp_path_factory.mktemp("drawings")
    chosen = []
    for member in (True, False):
        for row in np.flatnonzero((data.member == member) & (data.part == TEST))[:3]:
            path = folder / f"{row}.webp"
            path.write_bytes(bytes(data.pictures[row]))
            chosen.append((path, data.captions[row]))
    return chosen


@pytest.fixture(scope="module")
def questions(drawings: list[tuple[Path, str]]) -> list[tuple[Path, str, str]]:
    """Picture, caption or none, target: no two alike."""
    every = [
        (picture, caption, target)
        for target in TARGETS
        for picture, text in drawings
        for caption in (text, "")
    ]
    return every[:VISITORS]


@pytest.fixture(scope="module")
def alone(page: Served, questions: list[tuple[Path, str, str]]) -> list[dict[str, Any]]:
    """The answers to the questions, asked one after the other."""
    with closing(visitor(page)) as client:
        return [ask(client, *question) for question in questions]


def visitor(page: Served) -> Client:
    return Client(page.address, verbose=False, analytics_enabled=False)


def ask(client: Client, picture: Path, caption: str, target: str) -> dict[str, Any]:
    return client.predict(handle_file(picture), caption, target, api_name="/check")


@pytest.mark.long
def test_twenty_visitors_at_once_are_answered_as_if_alone(
    page: Served, questions: list[tuple[Path, str, str]], alone: list[dict[str, Any]]
) -> None:
    assert len({json.dumps(answer, sort_keys=True) for answer in alone}) == VISITORS
    start = Barrier(VISITORS)

    def visit(client: Client, question: tuple[Path, str, str]) -> dict[str, Any]:
        start.wait()
        return ask(client, *question)

    with ExitStack() as visits, ThreadPoolExecutor(VISITORS) as crowd:
        clients = [visits.enter_context(closing(visitor(page))) for _ in range(VISITORS)]
        assert list(crowd.map(visit, clients, questions)) == alone


def test_a_full_queue_says_so_and_the_page_goes_on(
    page: Served, questions: list[tuple[Path, str, str]], alone: list[dict[str, Any]]
) -> None:
    picture, caption, target = questions[0]
    with closing(httpx.Client(base_url=f"{page.address}gradio_api/", timeout=120)) as http:
        path = http.post("upload", files={"files": picture.read_bytes()}).json()[0]
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        body = {"data": [file, caption, target]}

        with ThreadPoolExecutor(16) as crowd:
            asked = [
                crowd.submit(http.post, "call/check", json=body) for _ in range(MORE_THAN_WAIT)
            ]
        sent = [one.result() for one in asked]
        waits = [one.json()["event_id"] for one in sent if one.status_code == 200]
        turned_away = [one for one in sent if one.status_code != 200]
        assert turned_away and len(waits) >= MAX_EVENTS
        for one in turned_away:
            assert one.status_code == 503 and one.json()["detail"] == BUSY

        for event in waits:
            *_, said, answer = http.get(f"call/check/{event}").text.strip().splitlines()
            assert said == "event: complete"
            assert json.loads(answer.removeprefix("data: ")) == [alone[0]]
    with closing(visitor(page)) as client:
        assert ask(client, *questions[1]) == alone[1]


def test_two_tabs_of_one_visitor_do_not_mix(
    page: Served, browser: Browser, drawings: list[tuple[Path, str]]
) -> None:
    """A member in one, a non-member in the other, asked about at the same time."""
    against: list[str] = []
    context = browser.new_context()
    tabs = [context.new_page() for _ in range(2)]
    for tab, (picture, caption) in zip(tabs, (drawings[0], drawings[-1]), strict=True):
        watch(tab, page.address, against)
        tab.goto(page.address)
        tab.wait_for_selector("#check-figure .js-plotly-plot .barlayer")
        drop = partial(tab.set_input_files, "#check-picture input[type=file]", str(picture))
        assert "p-value" in check_answer(tab, drop)
        tab.fill("#check-caption textarea", caption)
    overfit, realistic, again = [
        verdicts_at_once(tabs, target) for target in (TARGETS[0], TARGETS[1], TARGETS[0])
    ]
    assert overfit[0].startswith("Looks used") and overfit[1].startswith("Cannot tell")
    assert overfit == again and len({*overfit, *realistic}) == 4
    context.close()
    assert not against


def verdicts_at_once(tabs: list[Page], target: str) -> list[str]:
    """What both say under a target, once both have been asked."""
    for tab in tabs:
        tab.get_by_label(target).check()
        tab.wait_for_selector("#check-verdict :text('No picture yet')")  # the caption is another
    return check_answers(tabs, lambda tab: tab.click("#check-one"))
