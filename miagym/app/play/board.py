"""The board of the play tab: its components, laid out, and what they show of a game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from miagym.app.play import pieces
from miagym.app.play.chart import chart
from miagym.app.play.opponents import Rivals
from miagym.app.play.playing import Playing
from miagym.app.play.reference_scores import Known
from miagym.app.play.setup import GREY, MENU, STEPS, WORDS
from miagym.envs.menu import menu
from miagym.envs.rendering.scene import rows_in_words
from miagym.oracle.access import Access

ENDS = (
    '<div class="play-ends"><span>surely not</span><span>I cannot tell</span>'
    "<span>surely yes</span></div>"
)
"""What the slider's ends and its middle mean."""

CANNOT_TELL = (
    f'{ENDS}<div class="play-payoff"><b>I cannot tell.</b><br><span class="small">If it was in: '
    "<b>+0.00</b>. If it was not: <b>+0.00</b>.</span></div>"
)
PAYOFF = """(value) => {
  const p = value / 100, sign = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);
  const far = Math.abs(p - 0.5);
  const side = p > 0.5 ? "it was in the training set" : "it was not in the training set";
  const how = far > 0.47 ? "I am sure that " : far > 0.25 ? "I think that " : "Perhaps ";
  const words = far < 0.005 ? "I cannot tell" : (how + side).replace(/^./, (c) => c.toUpperCase());
  return `ENDS<div class="play-payoff"><b>${words}.</b><br><span class="small">If it was in: ` +
    `<b>${sign(1 - 4 * (1 - p) ** 2)}</b>. If it was not: <b>${sign(1 - 4 * p * p)}</b>.` +
    `</span></div>`;
}""".replace("ENDS", ENDS)
"""What the verdict under the slider would earn; worked out in the browser, as it moves."""


@dataclass(frozen=True, eq=False)
class Seat:
    """A visitor's game, the agents beside, and the known pictures. It stays on the server."""

    playing: Playing
    rivals: Rivals
    known: Known


@dataclass(frozen=True)
class Board:
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
        """All of them, in the order of `painted`."""
        return [
            *(self.heading, self.candidate, self.budget, *self.questions, self.answers),
            *(self.chart, self.slider, self.payoff, self.verdict, self.following),
            *(self.truth, self.tally),
        ]


def painted(seat: Seat, *, is_new: bool = False) -> list[Any]:
    """What all parts of the board show now.

    Args:
        seat: whose game.
        is_new: whether the picture was just dealt, so that the slider goes back to the middle.
    """
    playing = seat.playing
    scene, is_over = playing.scene, playing.is_over
    return [
        pieces.heading(playing),
        pieces.candidate(scene),
        pieces.budget(scene),
        *(_question(seat, i) for i in range(len(MENU[GREY]))),
        pieces.answers(scene),
        chart(playing, seat.known),
        gr.update(value=50, interactive=True) if is_new else gr.update(interactive=not is_over),
        CANNOT_TELL if is_new else gr.skip(),
        gr.update(interactive=not is_over),
        gr.update(interactive=is_over, variant="primary" if is_over else "secondary"),
        pieces.truth(playing),
        pieces.tallies(playing.rounds),
    ]


def _question(seat: Seat, question: int) -> dict[str, Any]:
    playing = seat.playing
    if question >= len(playing.menu):
        return gr.update(visible=False)
    affordable = not playing.is_over and playing.menu[question].price <= playing.scene.left
    return gr.update(visible=True, interactive=affordable)


def laid_out() -> tuple[Board, gr.Button]:
    """The components in their places, and the button that leads to another game."""
    with gr.Row(elem_id="play-top"):
        heading = gr.HTML(elem_id="play-heading", padding=False)
        again = gr.Button("Another game", size="sm", scale=0, min_width=130, elem_id="play-again")
    # On a phone the two columns become one, in the order of playing: see `playing_look`.
    with gr.Row(elem_id="play-table"):
        with gr.Column(scale=2, min_width=300):
            candidate = gr.HTML(elem_id="play-candidate", padding=False)
            budget = gr.HTML(elem_id="play-budget", padding=False)
            with gr.Row(elem_id="play-questions"):
                questions = tuple(
                    gr.Button(f"{WORDS[one.name]} · {rows_in_words(one.price)}", min_width=140)
                    for one in menu(MENU[GREY], Access.GREY, STEPS, guidance_scale=1.0)
                )
            slider, payoff, verdict, following = _verdict()
            truth = gr.HTML(elem_id="play-truth", padding=False)
        with gr.Column(scale=3, min_width=300):
            answers = gr.HTML(elem_id="play-answers", padding=False)
            shown_chart = gr.HTML(elem_id="play-chart", padding=False)
            tally = gr.HTML(elem_id="play-tally", padding=False)
    parts = (heading, candidate, budget, questions, answers, shown_chart, slider, payoff)
    return Board(*parts, verdict, following, truth, tally), again


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
