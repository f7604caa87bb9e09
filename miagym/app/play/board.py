"""The board of the play tab: its components, laid out, and what they show of a game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from miagym.app.html import render, script
from miagym.app.play import view
from miagym.app.play.chart import chart
from miagym.app.play.games import GameSession
from miagym.app.play.setup import GREY, MENU, STEPS, WORDS
from miagym.envs.menu import menu
from miagym.oracle.access import Access

CANNOT_TELL = render("play/payoff.html")
PAYOFF = script("payoff.js", CANNOT_TELL)
"""What the verdict under the slider would earn; worked out in the browser, as it moves."""


@dataclass(frozen=True)
class PlayBoard:
    """The components that a game is shown in."""

    heading: gr.HTML
    candidate: gr.HTML
    budget: gr.HTML
    questions: tuple[gr.Button, ...]
    answers: gr.HTML
    chart: gr.HTML
    slider: gr.Slider
    payoff: gr.HTML
    verdict: gr.Button
    following: gr.Button
    truth: gr.HTML
    tally: gr.HTML

    @property
    def parts(self) -> list[Any]:
        """All of them, in the order of `board_values`."""
        return [
            *(self.heading, self.candidate, self.budget, *self.questions, self.answers),
            *(self.chart, self.slider, self.payoff, self.verdict, self.following),
            *(self.truth, self.tally),
        ]


def board_values(session: GameSession, *, is_new: bool = False) -> list[Any]:
    """What all parts of the board show now.

    Args:
        session: whose game.
        is_new: whether the picture was just dealt, so that the slider goes back to the middle.
    """
    game = session.game
    scene, is_over = game.scene, game.is_over
    return [
        view.heading(game),
        view.candidate(scene),
        view.budget(scene),
        *(_question(session, i) for i in range(len(MENU[GREY]))),
        view.answers(scene),
        chart(game, session.known),
        gr.update(value=50, interactive=True) if is_new else gr.update(interactive=not is_over),
        CANNOT_TELL if is_new else gr.skip(),
        gr.update(interactive=not is_over),
        gr.update(interactive=is_over, variant="primary" if is_over else "secondary"),
        view.truth(game),
        view.tallies(game.rounds),
    ]


def _question(session: GameSession, question: int) -> dict[str, Any]:
    game = session.game
    if question >= len(game.menu):
        return gr.update(visible=False)
    affordable = not game.is_over and game.menu[question].price <= game.scene.left
    return gr.update(visible=True, interactive=affordable)


def build_board() -> tuple[PlayBoard, gr.Button]:
    """The components in their places, and the button that leads to another game."""
    with gr.Row(elem_id="play-top"):
        heading = gr.HTML(elem_id="play-heading", padding=False)
        again = gr.Button("Another game", size="sm", scale=0, min_width=130, elem_id="play-again")
    # On a phone the two columns become one, in the order of game: see static/css/play.css.
    with gr.Row(elem_id="play-table"):
        with gr.Column(scale=2, min_width=300):
            candidate = gr.HTML(elem_id="play-candidate", padding=False)
            budget = gr.HTML(elem_id="play-budget", padding=False)
            with gr.Row(elem_id="play-questions"):
                questions = tuple(
                    gr.Button(f"{WORDS[one.name]} · costs {one.price}", min_width=140)
                    for one in menu(MENU[GREY], Access.GREY, STEPS, guidance_scale=1.0)
                )
            slider, payoff, verdict, following = _verdict()
            truth = gr.HTML(elem_id="play-truth", padding=False)
        with gr.Column(scale=3, min_width=300):
            answers = gr.HTML(elem_id="play-answers", padding=False)
            shown_chart = gr.HTML(elem_id="play-chart", padding=False)
            tally = gr.HTML(elem_id="play-tally", padding=False)
    parts = (heading, candidate, budget, questions, answers, shown_chart, slider, payoff)
    return PlayBoard(*parts, verdict, following, truth, tally), again


def _verdict() -> tuple[gr.Slider, gr.HTML, gr.Button, gr.Button]:
    with gr.Column(elem_id="play-say"):
        slider = gr.Slider(
            0,
            100,
            50,
            step=1,
            label="Was it in the training set?",
            buttons=[],
            container=False,
            elem_id="play-slider",
        )
        payoff = gr.HTML(CANNOT_TELL, elem_id="play-payoff", padding=False)
        with gr.Row():
            verdict = gr.Button("Verdict", variant="primary", min_width=140, elem_id="play-verdict")
            following = gr.Button("Next picture", min_width=140, elem_id="play-next")
    return slider, payoff, verdict, following
