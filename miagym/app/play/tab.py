"""Play: the environment by hand. A class opens this first."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from miagym.app.play import pieces
from miagym.app.play.board import PAYOFF, Seat, laid_out, painted
from miagym.app.play.chart import chart
from miagym.app.play.look import LOOK
from miagym.app.play.opponents import Rivals, rival_rows
from miagym.app.play.playing import Playing
from miagym.app.play.reference_scores import known_of
from miagym.app.play.setup import BLACK, GREY, OVERFIT, REALISTIC, SURPRISE, table_of
from miagym.app.server.errors import in_sentences
from miagym.app.server.rate_limit import visitor_of
from miagym.app.site import Site
from miagym.errors import ActionError

SEATED = 3600
"""Seconds that a game is kept after its last move."""

RULES = """
### You are the attacker

A model was trained on some drawings. You are shown one and must say: **was it among them?** You
cannot look inside. You may ask the model to draw, and each drawing costs part of a small budget.
Then you say how sure you are, and the truth comes out. Beside you play three simple programs, on
the same pictures with the same budget.
"""

TARGETS = [
    ("Overfit: it learned a few drawings by heart", OVERFIT),
    ("Realistic: trained as large models are", REALISTIC),
    ("Surprise me: overfit, or a control that saw none of them", SURPRISE),
]
ACCESSES = [("Black box: pictures only", BLACK), ("Grey box: also its noise predictions", GREY)]

LOADING = (
    '<p class="small" role="status">Loading the models: a few seconds the first time, then quick '
    "…</p>"
)


def play_tab(site: Site) -> None:
    """The tab; to be called inside its `gr.Tab`."""
    private: dict[str, Any] = {"api_visibility": "private"}  # playing is no API
    quiet = {**private, "show_progress": "hidden"}
    model: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
    gr.HTML(f"<style>{LOOK}</style>", elem_id="play-style", padding=False)
    seat, timer = gr.State(None, time_to_live=SEATED), gr.Timer(0.7, active=False)
    with gr.Column(elem_id="play-setup") as setup:
        gr.Markdown(RULES)
        with gr.Row():
            target = gr.Radio(
                TARGETS, value=OVERFIT, label="Whom you ask", elem_id="play-target", min_width=280
            )
            access = gr.Radio(
                ACCESSES,
                value=BLACK,
                label="What you may ask",
                elem_id="play-access",
                min_width=280,
            )
        begin = gr.Button("Deal the first picture", variant="primary", elem_id="play-begin")
        loading = gr.HTML(elem_id="play-loading")
    with gr.Column(visible=False, elem_id="play-board") as shown:
        board, again = laid_out()
    moves = Moves(site, len(board.parts))
    first = [loading, setup, shown, timer, seat, *board.parts]
    begin.click(moves.begin, [target, access], first, **quiet, **model)
    again.click(moves.leave, None, [setup, shown, timer], **quiet)
    for number, button in enumerate(board.questions):
        button.click(
            moves.ask,
            [seat, gr.State(number)],
            [timer, *board.parts],
            show_progress_on=[board.answers],
            **private,
            **model,
        )
    board.slider.change(None, board.slider, board.payoff, js=PAYOFF, **quiet)
    judged = board.verdict.click(moves.judge, [seat, board.slider], board.parts, **quiet)
    judged.success(moves.let_rivals_play, seat, board.tally, **quiet, **model)
    board.following.click(moves.deal, seat, board.parts, **quiet)
    timer.tick(moves.measure, seat, [board.chart, timer], **quiet, **model)


class Moves:
    """What the buttons do. Games are on the server; what is returned is all that leaves it.

    Args:
        site: whose allowance is drawn upon.
        parts: how many components the board has.
    """

    def __init__(self, site: Site, parts: int) -> None:
        self._site, self._parts = site, parts

    @in_sentences
    def begin(self, target: str, access: str, request: gr.Request) -> Iterator[list[Any]]:
        """A new game, at its first picture."""
        yield [LOADING, *[gr.skip()] * (4 + self._parts)]
        try:
            seat = self._seated(target, access, request)
        except Exception:
            yield ["", *[gr.skip()] * (4 + self._parts)]
            raise
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        yield ["", hidden, shown, gr.Timer(active=True), seat, *painted(seat, is_new=True)]

    def _seated(self, target: str, access: str, request: gr.Request) -> Seat:
        seed = secrets.randbelow(2**31)  # which pictures, and whether a surprise is the control
        table = table_of(target, access, np.random.default_rng(seed))
        device = self._site.device
        playing = Playing(table, seed, is_secret=target == SURPRISE, device=device)
        self._pay_for_rivals(playing, request)
        playing.deal()
        return Seat(playing, Rivals(table, seed, device), known_of(table, device))

    def _pay_for_rivals(self, playing: Playing, request: gr.Request) -> None:
        price = playing.menu[playing.table.favourite].price
        self._site.allowance.take(visitor_of(request), rival_rows(playing.table, price))

    def leave(self) -> list[Any]:
        """Back to the choice of a game; nothing is lost until another one begins."""
        return [gr.update(visible=True), gr.update(visible=False), gr.Timer(active=False)]

    @in_sentences
    def deal(self, seat: Seat | None, request: gr.Request) -> list[Any]:
        """The next picture."""
        seat = _taken(seat)
        seat.playing.check_deal()
        self._pay_for_rivals(seat.playing, request)
        seat.playing.deal()
        return painted(seat, is_new=True)

    @in_sentences
    def ask(self, seat: Seat | None, question: int, request: gr.Request) -> list[Any]:
        """One question; the visitor pays for every model that answers."""
        seat = _taken(seat)
        rows = seat.playing.price(question) * seat.playing.table.models
        self._site.allowance.take(visitor_of(request), rows)
        seat.playing.ask(question)
        return [gr.Timer(active=True), *painted(seat)]

    @in_sentences
    def judge(self, seat: Seat | None, percent: float | None) -> list[Any]:
        """The verdict."""
        seat = _taken(seat)
        seat.playing.judge(None if percent is None else percent / 100)
        return painted(seat)

    @in_sentences
    def let_rivals_play(self, seat: Seat | None) -> str:
        """The agents play the same pictures."""
        seat = _taken(seat)
        seat.rivals.catch_up(seat.playing)
        return pieces.tallies(seat.playing.rounds)

    @in_sentences
    def measure(self, seat: Seat | None) -> list[Any]:
        """Puts to a few of the known pictures what the visitor asked, until all have answered.

        Without a question, it is the one that an agent will ask.
        """
        if seat is None:
            return [gr.skip(), gr.Timer(active=False)]
        playing, known = seat.playing, seat.known
        asked = [slot.question for slot in playing.scene.history or []]
        wanted = dict.fromkeys([*asked[::-1], playing.table.favourite])
        missing = [question for question in wanted if not known.is_complete(question)]
        if missing:
            known.measure(missing[0])
        shown = chart(playing, known) if asked else gr.skip()
        return [shown, gr.skip() if missing else gr.Timer(active=False)]


def _taken(seat: Seat | None) -> Seat:
    """A game that goes on.

    Raises:
        ActionError: if the server holds none.
    """
    if seat is None:
        raise ActionError("This game has been cleared away; deal the first picture of another one.")
    return seat
