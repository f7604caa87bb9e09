"""Parts of every picture: header, budget and verdict."""

from __future__ import annotations

from miagym.envs.rendering.canvas import INK, MUTED, WIDTH, Canvas
from miagym.envs.rendering.scene import Scene

MARGIN = 48
SIDE = 320
"""Of a large picture, in pixels: the embedded target's 64, five times."""
RIGHT = WIDTH - MARGIN - SIDE
"""Where the right column begins."""
TOP, BOTTOM = 146, 506
"""Where the pictures begin, and where the lower part does."""


def draw_header(canvas: Canvas, scene: Scene, title: str) -> None:
    """Draws what is asked about, and below it who is asked."""
    canvas.text(MARGIN, 34, title, 28, width=WIDTH - 2 * MARGIN)
    canvas.text(MARGIN, 74, " · ".join(scene.title), 17, MUTED, width=WIDTH - 2 * MARGIN)


def draw_budget(canvas: Canvas, scene: Scene, y: float) -> None:
    """Draws how many UNet rows are left, and what they buy."""
    budget = scene.settings.budget
    canvas.text(RIGHT, y, "Budget", 17)
    said = f"{scene.left} of {budget} {scene.settings.unit} left"
    canvas.text(RIGHT + SIDE, y, said, 17, MUTED, anchor="ra")
    canvas.budget(RIGHT, y + 26, SIDE, 14, scene.left / budget)
    canvas.text(RIGHT, y + 47, scene.buys, 14, MUTED, width=SIDE)


def draw_verdict(canvas: Canvas, scene: Scene, y: float) -> None:
    """Draws how the episode ended, if it did."""
    for number, line in enumerate(scene.verdict):
        size, colour = (20, INK) if number == 0 else (17, MUTED)
        canvas.text(RIGHT, y + 28 * number, line, size, colour, width=SIDE)


def draw_label(
    canvas: Canvas, x: float, text: str, colour: str = MUTED, *, anchor: str = "la"
) -> None:
    """Draws the heading of a picture, above it."""
    canvas.text(x, TOP - 28, text, 17, colour, anchor=anchor)
