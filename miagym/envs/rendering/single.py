"""One candidate as a picture: it, the last answer, what differs, and the distances so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.envs.game import Slot
from miagym.envs.rendering.canvas import (
    ANSWER, BUDGET, INK, LINE, MUTED, PANEL, REFUSED, Canvas, quoted,
)
from miagym.envs.rendering.parts import (
    BOTTOM, MARGIN, RIGHT, SIDE, draw_budget, draw_header, draw_verdict,
)
from miagym.envs.rendering.scene import DISTANCE, Scene, belief_in_words
from miagym.envs.statistics import STATISTICS

TOP = 146
MIDDLE = (MARGIN + RIGHT) // 2
ROWS, COLUMNS = 12, 60
"""Questions, and answers, that the chart shows at most."""
CHART, BARS_FROM, BARS_TO = 752, 250, 670
"""Its width; where its bars begin and end, from its left."""


def draw_single(canvas: Canvas, scene: Scene) -> None:
    assert scene.history is not None
    draw_header(canvas, scene, quoted(scene.captions[0]))
    _label(canvas, MARGIN, "Candidate")
    canvas.picture(MARGIN, TOP, SIDE, scene.images[0])
    _draw_answer(canvas, scene, scene.history)
    _draw_chart(canvas, scene, scene.history)
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
        said = f"{question.name} refused: it costs {question.price} rows"
        _label(canvas, RIGHT + SIDE, said, REFUSED, anchor="ra")
    if not answers:
        _label(canvas, MIDDLE, "Answer")
        canvas.box(MIDDLE, TOP, RIGHT + SIDE - MIDDLE, SIDE, PANEL)
        middle = (MIDDLE + RIGHT + SIDE) / 2
        canvas.text(middle, TOP + SIDE / 2, "nothing answered yet", 20, MUTED, anchor="mm")
        return
    last, question = answers[-1], scene.question(answers[-1])
    rows = "1 row" if question.price == 1 else f"{question.price} rows"
    _label(canvas, MIDDLE, f"Answer {len(answers)}: {question.name}, {rows}")
    if last.image is None:
        _draw_numbers(canvas, last)
        return
    canvas.picture(MIDDLE, TOP, SIDE, last.image)
    if not refused:
        _label(canvas, RIGHT, "Answer - candidate (grey: no difference)")
    canvas.picture(RIGHT, TOP, SIDE, difference(scene.images[0], last.image))


def difference(candidate: NDArray[np.uint8], answer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Answer minus candidate at half the contrast: middle grey where they agree."""
    return (128 + (answer.astype(np.int16) - candidate) // 2).clip(0, 255).astype(np.uint8)


def _draw_numbers(canvas: Canvas, last: Slot) -> None:
    """A card with the statistics of an answer that is no picture; a reference model's beside."""
    assert last.values is not None
    canvas.box(MIDDLE, TOP, RIGHT + SIDE - MIDDLE, SIDE, PANEL)
    columns = last.values.reshape(-1, len(STATISTICS))
    x = [RIGHT + SIDE - 32 - 140 * (len(columns) - 1 - i) for i in range(len(columns))]
    if len(columns) > 1:
        for at, name in zip(x, ("target", "reference"), strict=True):
            canvas.text(at, TOP + 36, name, 17, MUTED, anchor="ra")
    for row, name in enumerate(STATISTICS):
        y, colour = TOP + 82 + 52 * row, INK if row == DISTANCE else MUTED
        canvas.text(MIDDLE + 32, y, name.replace("²", "^2").replace("⁴", "^4"), 20, colour)
        for at, value in zip(x, columns[:, row], strict=True):
            canvas.text(at, y, f"{value:.4g}", 20, colour, anchor="ra")


def _draw_chart(canvas: Canvas, scene: Scene, answers: list[Slot]) -> None:
    """A row of bars for each question, in the order of asking, each on a scale of its own."""
    canvas.text(MARGIN, BOTTOM, "Distances, answer by answer", 17)
    canvas.text(MARGIN + CHART, BOTTOM, "root mean square", 14, MUTED, anchor="ra")
    menu, shown = scene.settings.menu, answers[-COLUMNS:]
    asked = list(dict.fromkeys(slot.question for slot in reversed(answers)))
    rows = sorted((asked + [q for q in range(len(menu)) if q not in asked])[:ROWS])
    height = min(44.0, (720 - MARGIN - BOTTOM - 30) / len(rows))
    pitch = min(24.0, (BARS_TO - BARS_FROM) / min(COLUMNS, scene.settings.most_answers))
    for row, question in enumerate(rows):
        base = round(BOTTOM + 30 + height * (row + 1))
        size = 16 if height > 24 else 12
        canvas.text(MARGIN, base, menu[question].name, size, MUTED, anchor="ls", width=190)
        canvas.box(MARGIN + BARS_FROM, base, BARS_TO - BARS_FROM, 1, LINE)
        mine = [(i, slot.values) for i, slot in enumerate(shown) if slot.question == question]
        _draw_bars(canvas, mine, base, height - 6, pitch, len(shown) - 1, size)


def _draw_bars(
    canvas: Canvas,
    mine: list[tuple[int, NDArray[np.float32] | None]],
    base: float,
    height: float,
    pitch: float,
    latest: int,
    size: int,
) -> None:
    """The answers to one question; a line across a bar is the reference model's."""
    distances = [(i, v[DISTANCE :: len(STATISTICS)]) for i, v in mine if v is not None]
    if not distances:
        return
    scale = height / max(1e-12, max(float(d.max()) for _, d in distances))
    for i, (target, *reference) in distances:
        x, thick = MARGIN + BARS_FROM + i * pitch, max(1, round(pitch * 0.7))
        tall = max(1, round(target * scale))
        canvas.box(x, base - tall, thick, tall, BUDGET if i == latest else ANSWER)
        for value in reference:
            canvas.box(x, base - round(value * scale), thick, 2, INK)
    value = f"{distances[-1][1][0]:.4g}"
    canvas.text(MARGIN + CHART, base, value, size, INK, anchor="rs")


def _label(
    canvas: Canvas, x: float, text: str, colour: str = MUTED, *, anchor: str = "la"
) -> None:
    canvas.text(x, TOP - 28, text, 17, colour, anchor=anchor)
