"""Parts that every picture has: a header, the budget, the verdict."""

from __future__ import annotations

from miagym.envs.rendering.canvas import INK, MUTED, REFUSED, Canvas
from miagym.envs.rendering.scene import Scene

MARGIN = 48
SIDE = 320
"""Of a large picture, in pixels: the embedded target's 64, five times."""
RIGHT = 1280 - MARGIN - SIDE
"""Where the right column begins."""
BOTTOM = 506
"""Where the lower part begins."""


def draw_header(canvas: Canvas, scene: Scene, title: str) -> None:
    """What is asked about, and below it who is asked."""
    canvas.text(MARGIN, 34, title, 28, width=1280 - 2 * MARGIN)
    canvas.text(MARGIN, 74, " · ".join(scene.title), 17, MUTED, width=1280 - 2 * MARGIN)


def draw_budget(canvas: Canvas, scene: Scene, y: float) -> None:
    """How many UNet rows are left, and what they buy."""
    budget = scene.settings.budget
    canvas.text(RIGHT, y, "Budget", 17)
    said = f"{scene.left} of {budget} UNet rows left"
    canvas.text(RIGHT + SIDE, y, said, 17, MUTED, anchor="ra")
    canvas.budget(RIGHT, y + 26, SIDE, 14, scene.left / budget)
    canvas.text(RIGHT, y + 47, scene.buys, 14, MUTED, width=SIDE)


def draw_verdict(canvas: Canvas, scene: Scene, y: float) -> None:
    """How it ended, if it did."""
    for number, line in enumerate(scene.verdict):
        size, colour = (20, INK) if number == 0 else (17, MUTED)
        canvas.text(RIGHT, y + 28 * number, line, size, colour, width=SIDE)


def refusal(scene: Scene, question: str, price: int) -> tuple[str, str]:
    """What is said of a question that the budget did not cover, and its colour."""
    return f"{question} refused: it costs {price}", REFUSED
