"""Bar chart of the distances of all answers about a candidate, a row for each question."""

from __future__ import annotations

from dataclasses import dataclass

from miagym.envs.rendering.canvas import ANSWER, BUDGET, HEIGHT, INK, LINE, MUTED, Canvas
from miagym.envs.rendering.parts import BOTTOM, MARGIN
from miagym.envs.rendering.scene import Scene
from miagym.envs.state.moves import Slot

MAX_QUESTIONS, MAX_ANSWERS = 6, 60
"""Questions, and answers, that are shown at most: those asked last."""
WIDTH, BARS, BARS_WIDTH = 752, 250, 420
"""Of the chart; where its bars begin, and how much room they have."""


@dataclass(frozen=True)
class ChartRow:
    """Row of the chart: a question, its place and its answers."""

    name: str
    base: int
    height: float
    pitch: float
    """Pixels from one answer to the next."""
    answers: dict[int, list[float]]
    """By number: the distance to the target's answer, and to the reference model's if there is
    one."""
    latest: int
    """Number of the last answer to any question."""


def draw_chart(canvas: Canvas, scene: Scene, answers: list[Slot]) -> None:
    """Draws all answers in the order of asking; each question has a scale of its own."""
    reference = scene.settings.reference is not None
    note = "root mean square" + ("; line: the reference model" if reference else "")
    canvas.text(MARGIN, BOTTOM, "Distances, answer by answer", 17)
    canvas.text(MARGIN + WIDTH, BOTTOM + 2, note, 14, MUTED, anchor="ra")
    for row in _rows(scene, answers):
        _draw_row(canvas, row)


def _rows(scene: Scene, answers: list[Slot]) -> list[ChartRow]:
    menu, shown = scene.settings.menu, answers[-MAX_ANSWERS:]
    asked = list(dict.fromkeys(slot.question for slot in reversed(answers)))
    questions = sorted([*asked, *(q for q in range(len(menu)) if q not in asked)][:MAX_QUESTIONS])
    height = min(44.0, (HEIGHT - MARGIN - BOTTOM - 30) / len(questions))
    return [
        ChartRow(
            name=menu[question].name,
            base=round(BOTTOM + 30 + height * number),
            height=height - 8,
            pitch=min(24.0, BARS_WIDTH / min(MAX_ANSWERS, scene.settings.max_answers)),
            answers={
                i: list(scene.distances(slot))
                for i, slot in enumerate(shown)
                if slot.question == question and slot.values is not None
            },
            latest=len(shown) - 1,
        )
        for number, question in enumerate(questions, start=1)
    ]


def _draw_row(canvas: Canvas, row: ChartRow) -> None:
    size = 16 if row.height > 16 else 14
    canvas.text(MARGIN, row.base, row.name, size, MUTED, anchor="ls", width=BARS - 20)
    canvas.box(MARGIN + BARS, row.base, BARS_WIDTH, 1, LINE)
    if not row.answers:
        return
    most = max(max(distances) for distances in row.answers.values())
    scale, thick = row.height / (most or 1), max(1, round(row.pitch * 0.7))
    for i, (target, *reference) in row.answers.items():
        x, tall = MARGIN + BARS + i * row.pitch, max(1, round(target * scale))
        canvas.box(x, row.base - tall, thick, tall, BUDGET if i == row.latest else ANSWER)
        for value in reference:
            canvas.box(x, row.base - round(value * scale), thick, 2, INK)
    last = list(row.answers.values())[-1][0]
    canvas.text(MARGIN + WIDTH, row.base, f"{last:.4g}", size, anchor="rs")
