"""Play: the environment by hand. A class opens this first."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from miagym.app.html import part, render, script
from miagym.app.play import view
from miagym.app.play.board import PAYOFF, board_values, build_board
from miagym.app.play.chart import chart
from miagym.app.play.games import Games, GameSession
from miagym.app.play.refusals import Refusals
from miagym.app.play.setup import (
    BLACK,
    DRAWS,
    GREY,
    OVERFIT,
    REALISTIC,
    SURPRISE,
    opponent_rows,
    setup_of,
)
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import page_errors
from miagym.app.site import Site
from miagym.errors import ActionError

if TYPE_CHECKING:
    from miagym.app.play.game import HumanGame

RULES = """
## You are the attacker

A model was trained on some drawings. You are shown one and must say: **was it among them?** You
cannot look inside. You may ask the model to draw, and each drawing costs part of a small budget.
Then you say how sure you are, and the truth comes out. Beside you play three simple programs, on
the same pictures with the same budget.
"""

TARGETS = [
    ("Overfit: it learned a few drawings by heart", OVERFIT),
    ("Emoji: it draws what captions say, and knows a few by heart", DRAWS),
    ("Realistic: trained as large models are", REALISTIC),
    ("Surprise me: overfit, or a control that saw none of them", SURPRISE),
]
ACCESSES = [("Black box: pictures only", BLACK), ("Grey box: also its noise predictions", GREY)]


def play_tab(site: Site) -> None:
    """The tab; to be called inside its `gr.Tab`."""
    private: dict[str, Any] = {"api_visibility": "private"}  # playing is no API
    quiet = {**private, "show_progress": "hidden"}
    model: dict[str, Any] = {"concurrency_id": "play", "concurrency_limit": 1}
    timer = gr.Timer(0.7, active=False)
    key, kept = gr.Textbox("", visible=False), gr.Textbox("", visible=False)
    refused = gr.HTML(elem_id="play-refused")
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
        board, again = build_board()
    handlers = Handlers(site, Games(), len(board.parts))
    first = [loading, setup, shown, timer, *board.parts]
    begun = begin.click(handlers.begin, [target, access], [key, *first], **quiet, **model)
    begun.success(None, key, None, js=script("keep_game.js"), **private)
    # At load: a refresh has another name for the page, and the same game.
    gr.on(None, None, None, kept, js=script("kept_game.js"), **private)
    kept.change(handlers.resume, kept, first, **quiet)
    moves = [begun]
    again.click(handlers.leave, None, [setup, shown, timer], **quiet)
    for number, button in enumerate(board.questions):
        asked = button.click(
            handlers.ask(number),
            None,
            [timer, *board.parts],
            show_progress_on=[board.answers],
            **private,
            **model,
        )
        moves.append(asked)
    board.slider.change(None, board.slider, board.payoff, js=PAYOFF, **quiet)
    judged = board.verdict.click(handlers.judge, board.slider, board.parts, **quiet)
    judged.success(handlers.let_opponents_play, None, board.tally, **quiet, **model)
    moves += [judged, board.following.click(handlers.deal, None, board.parts, **quiet)]
    for move in moves:
        move.failure(handlers.why, None, refused, queue=False, **quiet)
        move.success(lambda: "", None, refused, queue=False, **quiet)
    timer.tick(handlers.measure, None, [board.chart, timer], **quiet, **model)


class Handlers:
    """What the buttons do. Games are on the server; what is returned is all that leaves it.

    Args:
        site: whose allowance is drawn upon.
        games: those under way.
        parts: how many components the board has.
    """

    def __init__(self, site: Site, games: Games, parts: int) -> None:
        self._site, self._games, self._parts = site, games, parts
        self._refusals = Refusals()

    def why(self, request: gr.Request) -> str:
        """Why the last move of a page was refused, where it stays to be read."""
        said = self._refusals.last(request.session_hash)
        return part("verdict", "Not possible", said, kind="error") if said else ""

    def resume(self, key: str, request: gr.Request) -> list[Any]:
        """The board as it was before a refresh; nothing without a game."""
        session = self._games.resume(key, request.session_hash) if key else None
        if session is None:
            return [gr.skip()] * (4 + self._parts)
        return self._at_board(session)

    def _at_board(self, session: GameSession) -> list[Any]:
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        return ["", hidden, shown, gr.Timer(active=True), *board_values(session, is_new=True)]

    @page_errors
    def begin(self, target: str, access: str, request: gr.Request) -> Iterator[list[Any]]:
        """A new game, at its first picture; it takes the place of the page's last one."""
        yield [gr.skip(), render("play/loading.html"), *[gr.skip()] * (3 + self._parts)]
        try:
            with self._refusals.noted(request.session_hash):
                session = self._begun(target, access, request)
        except Exception:
            yield [gr.skip(), "", *[gr.skip()] * (3 + self._parts)]
            raise
        key = self._games.add(client_id(request), request.session_hash, session)
        yield [key, *self._at_board(session)]

    def _begun(self, target: str, access: str, request: gr.Request) -> GameSession:
        # With torch and scikit-learn: a page is there seconds earlier without them.
        from miagym.app.play.game import HumanGame
        from miagym.app.play.opponents import Opponents
        from miagym.app.play.reference_scores import reference_scores

        seed = secrets.randbelow(2**31)  # which pictures, and whether a surprise is the control
        setup = setup_of(target, access, np.random.default_rng(seed))
        device = self._site.device
        game = HumanGame(setup, seed, is_secret=target == SURPRISE, device=device)
        self._pay_for_opponents(game, request)
        game.deal()
        return GameSession(game, Opponents(setup, seed, device), reference_scores(setup, device))

    def _pay_for_opponents(self, game: HumanGame, request: gr.Request) -> None:
        price = game.menu[game.setup.favourite].price
        self._site.allowance.take(client_id(request), opponent_rows(game.setup, price))

    def leave(self) -> list[Any]:
        """Back to the choice of a game; nothing is lost until another one begins."""
        return [gr.update(visible=True), gr.update(visible=False), gr.Timer(active=False)]

    @page_errors
    def deal(self, request: gr.Request) -> list[Any]:
        """The next picture."""
        with self._refusals.noted(request.session_hash):
            session = self._games.get(request.session_hash)
            session.game.check_deal()
            self._pay_for_opponents(session.game, request)
            session.game.deal()
            return board_values(session, is_new=True)

    def ask(self, question: int) -> Callable[[gr.Request], list[Any]]:
        """The handler of one question; the visitor pays for every model that answers."""

        @page_errors
        def asked(request: gr.Request) -> list[Any]:
            with self._refusals.noted(request.session_hash):
                session = self._games.get(request.session_hash)
                rows = session.game.price(question) * session.game.setup.models
                self._site.allowance.take(client_id(request), rows)
                session.game.ask(question)
                return [gr.Timer(active=True), *board_values(session)]

        return asked

    @page_errors
    def judge(self, percent: float | None, request: gr.Request) -> list[Any]:
        """The verdict."""
        with self._refusals.noted(request.session_hash):
            session = self._games.get(request.session_hash)
            session.game.judge(None if percent is None else percent / 100)
            return board_values(session)

    @page_errors
    def let_opponents_play(self, request: gr.Request) -> str:
        """The agents play the same pictures."""
        session = self._games.get(request.session_hash)
        session.opponents.catch_up(session.game)
        return view.tallies(session.game.rounds)

    @page_errors
    def measure(self, request: gr.Request) -> list[Any]:
        """Puts to a few of the known pictures what the visitor asked, until all have answered.

        Without a question, it is the one that an agent will ask.
        """
        try:
            session = self._games.get(request.session_hash)
        except ActionError:  # said when the visitor moves next, and not by a clock
            return [gr.skip(), gr.Timer(active=False)]
        game, known = session.game, session.known
        asked = [slot.question for slot in game.scene.history or []]
        wanted = dict.fromkeys([*asked[::-1], game.setup.favourite])
        missing = [question for question in wanted if not known.is_complete(question)]
        if missing:
            known.measure(missing[0])
        shown = chart(game, known) if asked else gr.skip()
        return [shown, gr.skip() if missing else gr.Timer(active=False)]
