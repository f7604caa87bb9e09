"""The play tab, as a visitor with a browser meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from miagym.app.play.board import board_values
from miagym.app.play.game import HumanGame
from miagym.app.play.games import GameSession
from miagym.app.play.opponents import Opponents
from miagym.app.play.reference_scores import ReferenceScores
from miagym.app.play.setup import GameSetup
from tests.app.visiting import Served, served

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""


PROGRAM = """
import gradio as gr
from miagym.app.play.tab import play_tab
from miagym.app.site import PLAY, Site
from miagym.app.server.rate_limit import Allowance

site = Site(first=PLAY, device="cpu", allowance=Allowance(50_000))
with gr.Blocks(analytics_enabled=False) as page, gr.Tabs(selected=PLAY):
    with gr.Tab("About", id="about"):
        gr.Markdown("nothing")
    with gr.Tab("Play", id=PLAY):
        play_tab(site)
"""


@pytest.fixture(scope="module")
def serving() -> Iterator[Served]:
    """A page that holds nothing but this tab."""
    with served(PROGRAM) as page:
        yield page


@pytest.fixture(scope="module")
def address(serving: Served) -> str:
    return serving.address


@dataclass
class Visit:
    """A tab of a browser, and all that passed through it."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def begin(self) -> None:
        self.page.locator("#play-begin").click()
        self.page.locator("#play-verdict").wait_for()

    def ask(self, words: str, answers: int) -> None:
        self.button(words).click()
        expect(self.page.locator(".play-answer")).to_have_count(answers)

    def button(self, words: str) -> Any:
        return self.page.locator("#play-questions button", has_text=words)

    def judge(self, percent: int) -> str:
        self.page.locator("#play-slider input[type=range]").fill(str(percent))
        self.page.locator("#play-verdict").click()
        self.page.locator(".play-truth").wait_for()
        return self.page.locator(".play-truth").inner_text()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Any]:
    """Opens tabs; at the end, none may have met an error or asked another host."""
    visits: list[Visit] = []

    def opened(width: int = 1280, theme: str = "light") -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900})
        one = Visit(context.new_page())
        # Answers of the queue come as a stream, which a browser does not hand out: it is kept here.
        one.page.add_init_script(KEEP_STREAMS)
        one.page.on("request", lambda request: one.hosts.add(request.url.split("/")[2]))
        one.page.on("pageerror", lambda error: one.errors.append(str(error)))
        one.page.on(
            "console", lambda said: one.errors.append(said.text) if said.type == "error" else None
        )
        one.page.goto(f"{address}?__theme={theme}")
        one.page.locator("#play-begin").wait_for()
        visits.append(one)
        return one

    yield opened
    for one in visits:
        assert not one.errors
        assert one.hosts <= {address.split("/")[2]}, one.hosts
        one.page.context.close()


KEEP_STREAMS = """
window.received = [];
const original = window.fetch;
window.fetch = async (...given) => {
  const response = await original(...given);
  const copy = response.clone();
  if (copy.body) (async () => {
    const reader = copy.body.getReader(), decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      window.received.push(decoder.decode(value, { stream: true }));
    }
  })().catch(() => {});
  return response;
};
"""


def received(one: Visit) -> str:
    """All that the server has sent in answer to the page's own requests."""
    return "".join(one.page.evaluate("window.received"))


def toast(one: Visit) -> str:
    words = one.page.locator(".toast-body").first
    words.wait_for()
    return words.inner_text()


def test_a_whole_round_and_the_label_arrives_with_the_truth_and_not_before(visit: Any) -> None:
    one = visit()
    one.begin()
    one.ask("Vary slightly", 1)
    one.ask("Vary halfway", 2)
    expect(one.page.locator(".play-strip")).to_have_count(2)
    expect(one.page.locator(".play-says").first).to_contain_text("known members")
    one.page.locator("#play-slider input[type=range]").fill("80")
    expect(one.page.locator("#play-payoff")).to_contain_text("+0.84. If it was not: −1.56")
    before = received(one)
    assert "play-answer" in before, "what the queue sends is not seen"
    for leak in ("in the training set.", "You were", '"member"', "play-truth", "play-tally"):
        assert leak not in before
    told = one.judge(80)
    is_member = told.startswith("It was in the training set.")
    assert is_member or told.startswith("It was not in the training set.")
    assert ("You were right" in told) == is_member and ("+0.84" in told) == is_member
    assert "training set." in received(one)[len(before) :]
    tally = one.page.locator(".play-tally")
    expect(tally).not_to_contain_text("is playing")
    expect(tally).to_contain_text("1 round tells nothing about skill")
    assert tally.locator("tbody tr").count() == 4
    expect(one.button("Vary slightly")).to_be_disabled()
    first = one.page.locator(".play-candidate img").get_attribute("src")
    one.page.locator("#play-next").click()
    expect(one.page.locator(".play-truth")).to_have_count(0)
    assert one.page.locator(".play-candidate img").get_attribute("src") != first
    expect(one.page.locator("#play-slider input[type=range]")).to_have_value("50")


@pytest.mark.slow
def test_where_the_budget_ends_the_verdict_is_left(visit: Any) -> None:
    one = visit(width=390, theme="dark")
    one.begin()
    one.ask("Draw caption", 1)
    one.ask("Vary strongly", 2)
    expect(one.button("Vary halfway")).to_be_disabled()
    expect(one.button("Vary slightly")).to_be_enabled()
    one.ask("Vary slightly", 3)
    expect(one.page.locator(".play-left")).to_contain_text("buys nothing more")
    for button in one.page.locator("#play-questions button").all():
        expect(button).to_be_disabled()
    assert "You could not tell" in one.judge(50)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_two_tabs_of_a_visitor_are_two_games_and_double_clicks_are_one(visit: Any) -> None:
    one, other = visit(), visit()
    one.begin()
    other.begin()
    one.button("Vary slightly").dblclick()
    expect(one.page.locator(".play-answer")).to_have_count(1)
    assert other.page.locator(".play-answer").count() == 0
    one.judge(10)
    assert other.page.locator(".play-truth").count() == 0
    other.ask("Vary slightly", 1)


@pytest.mark.slow
def test_grey_access_answers_with_numbers(visit: Any) -> None:
    one = visit()
    one.page.get_by_label("Grey box").check()
    one.begin()
    one.ask("Noise seen in it", 1)
    expect(one.page.locator(".play-number")).to_have_count(1)
    expect(one.page.locator(".play-left")).to_contain_text("19 of 20")


def test_a_game_that_is_gone_is_a_sentence_and_another_one_begins(
    visit: Any, serving: Served
) -> None:
    one = visit()
    one.begin()
    serving.do("import gc; from miagym.app.play.games import Games")
    serving.do("[g._seats.clear() for g in gc.get_objects() if isinstance(g, Games)]")  # an hour
    one.button("Vary slightly").click()
    assert "cleared away" in toast(one)
    one.page.locator(".toast-close").first.click()
    one.page.locator("#play-again").click()
    one.page.locator("#play-begin").wait_for()
    one.begin()
    one.ask("Vary slightly", 1)


def test_an_allowance_that_is_used_up_is_a_sentence(visit: Any, serving: Served) -> None:
    one = visit()
    serving.do('site.allowance.take("127.0.0.1", site.allowance.left("127.0.0.1"))')
    one.page.locator("#play-begin").click()
    assert "of your 50,000 an hour are left" in toast(one)
    expect(one.page.locator("#play-begin")).to_be_enabled()


def test_playing_is_no_api(address: str) -> None:
    told = httpx.get(f"{address}gradio_api/info").json()
    assert not told["named_endpoints"] and not told["unnamed_endpoints"]


def test_what_is_sent_before_the_verdict_is_the_same_whatever_the_label() -> None:
    sent = [game_with(flipped=flipped) for flipped in (False, True)]
    (before, after), (flipped_before, flipped_after) = sent
    assert before == flipped_before and after != flipped_after


def game_with(*, flipped: bool) -> tuple[list[str], str]:
    """What the page is sent in a round: until the verdict, and with it."""
    setup = GameSetup("clipart-overfit", "clipart-tune", "clipart-realistic", "black")
    playing = HumanGame(setup, seed=11, is_secret=False, device="cpu")
    playing.deal()
    members = playing._env.game.members
    assert members[0] is not None
    members[0] = 1 - members[0] if flipped else members[0]
    session = GameSession(playing, Opponents(setup, 11, "cpu"), ReferenceScores(setup, "cpu"))
    before = [str(board_values(session, is_new=True))]
    for question in (0, 1):
        playing.ask(question)
        before.append(str(board_values(session)))
    playing.judge(0.7)
    return before, str(board_values(session))
