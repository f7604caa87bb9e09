"""Picture of a single game: candidate, last answer, their difference, and the distances so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.envs.rendering.canvas import (
    INK,
    MUTED,
    PANEL,
    REFUSED,
    Canvas,
    quoted,
)
from miagym.envs.rendering.chart import draw_chart
from miagym.envs.rendering.parts import (
    BOTTOM,
    MARGIN,
    RIGHT,
    SIDE,
    TOP,
    draw_budget,
    draw_header,
    draw_label,
    draw_verdict,
)
from miagym.envs.rendering.scene import DISTANCE, Scene, belief_in_words
from miagym.envs.state.moves import Slot
from miagym.envs.statistics import STATISTICS

MIDDLE = (MARGIN + RIGHT) // 2


def draw_single(canvas: Canvas, scene: Scene) -> None:
    assert scene.history is not None
    draw_header(canvas, scene, quoted(scene.captions[0]))
    draw_label(canvas, MARGIN, "Candidate")
    canvas.picture(MARGIN, TOP, SIDE, scene.images[0])
    _draw_answer(canvas, scene, scene.history)
    draw_chart(canvas, scene, scene.history)
    draw_budget(canvas, scene, BOTTOM)
    said = belief_in_words(scene.belief[0]) if scene.step else "nothing said yet"
    canvas.text(RIGHT, BOTTOM + 82, "Belief", 17)
    canvas.text(RIGHT + SIDE, BOTTOM + 82, said, 17, MUTED, anchor="ra")
    canvas.belief(RIGHT, BOTTOM + 108, SIDE, 14, scene.belief[0])
    draw_verdict(canvas, scene, BOTTOM + 138)


def _draw_answer(canvas: Canvas, scene: Scene, answers: list[Slot]) -> None:
    """The last answer: two pictures, or a card of numbers, or words."""
    refused = [slot for slot in scene.last.values() if slot.values is None]
    if refused:
        question = scene.question(refused[0])
        said = f"{question.name} {scene.refusal(refused[0])}"
        draw_label(canvas, RIGHT + SIDE, said, REFUSED, anchor="ra")
    if not answers:
        draw_label(canvas, MIDDLE, "Answer")
        canvas.box(MIDDLE, TOP, RIGHT + SIDE - MIDDLE, SIDE, PANEL)
        middle = (MIDDLE + RIGHT + SIDE) / 2
        canvas.text(middle, TOP + SIDE / 2, "nothing answered yet", 20, MUTED, anchor="mm")
        return
    last, question = answers[-1], scene.question(answers[-1])
    label = f"Answer {len(answers)}: {question.name}, {scene.price(last)}"
    draw_label(canvas, MIDDLE, label)
    if last.image is None:
        _draw_numbers(canvas, last)
        return
    canvas.picture(MIDDLE, TOP, SIDE, last.image)
    if not refused:
        draw_label(canvas, RIGHT, "Answer minus candidate (grey: equal)")
    canvas.picture(RIGHT, TOP, SIDE, difference(scene.images[0], last.image))


def difference(candidate: NDArray[np.uint8], answer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Difference of answer and candidate at half the contrast: middle grey where they agree."""
    return (128 + (answer.astype(np.int16) - candidate) // 2).clip(0, 255).astype(np.uint8)


def _draw_numbers(canvas: Canvas, last: Slot) -> None:
    """A card with the statistics of an answer that is no picture; a reference model's beside."""
    assert last.values is not None
    canvas.box(MIDDLE, TOP, RIGHT + SIDE - MIDDLE, SIDE, PANEL)
    columns = last.values.reshape(-1, len(STATISTICS))
    x = [RIGHT + SIDE - 32 - 140 * (len(columns) - 1 - i) for i in range(len(columns))]
    if len(columns) > 1:
        for at, name in zip(x, ("target", "reference"), strict=True):
            canvas.text(at, TOP + 28, name, 17, MUTED, anchor="ra")
    for row, name in enumerate(STATISTICS):
        y, colour = TOP + 70 + 50 * row, INK if row == DISTANCE else MUTED
        base, power = (name[:-1], name[-1]) if name[-1] in "²⁴" else (name, "")
        wide = canvas.text(MIDDLE + 32, y, base, 20, colour)
        canvas.text(MIDDLE + 33 + wide, y - 3, power, 13, colour)
        for at, value in zip(x, columns[:, row], strict=True):
            canvas.text(at, y, f"{value:.4g}", 20, colour, anchor="ra")
    words = "d: how far the answer is from what it should be"
    canvas.text(MIDDLE + 32, TOP + SIDE - 34, words, 14, MUTED)
