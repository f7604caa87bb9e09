"""A pool as a picture: a grid of candidates with what is believed of each, and the last answers."""

from __future__ import annotations

import math

from miagym.envs.game import Slot
from miagym.envs.rendering.canvas import INK, LINE, MUTED, PANEL, REFUSED, SIDES, Canvas
from miagym.envs.rendering.parts import (
    BOTTOM, MARGIN, RIGHT, SIDE, draw_budget, draw_header, draw_verdict,
)
from miagym.envs.rendering.scene import DISTANCE, Scene

TOP, WIDE, TALL = 118, 752, 526
"""The grid's place."""
GAP, FOOT = 14, 30
"""Between candidates, and what stands below each."""
LARGEST, SMALLEST = 256, 36
"""Sides of a candidate; if they got smaller, the rest is left out."""
SLOTS = 6
"""Slots that are shown."""


def draw_pool(canvas: Canvas, scene: Scene) -> None:
    n = len(scene.images)
    question = "Is this candidate a member?" if n == 1 else f"Which of {n} candidates are members?"
    draw_header(canvas, scene, question)
    side, columns, rows = grid(n)
    for i in range(min(n, columns * rows)):
        x = MARGIN + (side + GAP) * (i % columns)
        y = TOP + (side + GAP + FOOT) * (i // columns)
        _draw_candidate(canvas, scene, i, x, y, side)
    _draw_legend(canvas, scene, n - columns * rows)
    _draw_slots(canvas, scene)
    draw_budget(canvas, scene, BOTTOM + 16)
    draw_verdict(canvas, scene, BOTTOM + 106)


def grid(n: int) -> tuple[int, int, int]:
    """Side, columns and rows of the largest squares of which n fit, or as many as do."""
    best = (0, 1, 1)
    for columns in range(1, n + 1):
        rows = math.ceil(n / columns)
        side = min((WIDE + GAP) // columns - GAP, (TALL + GAP) // rows - GAP - FOOT, LARGEST)
        best = max(best, (side, columns, rows))
    if best[0] >= SMALLEST:
        return best
    columns, rows = (WIDE + GAP) // (SMALLEST + GAP), (TALL + GAP) // (SMALLEST + GAP + FOOT)
    return SMALLEST, columns, rows


def _draw_candidate(canvas: Canvas, scene: Scene, i: int, x: float, y: float, side: int) -> None:
    canvas.picture(x, y, side, scene.images[i])
    if scene.truth is not None:
        canvas.frame(x, y, side, 4, SIDES[scene.truth[i]])
    elif any(slot.candidate == i for slot in scene.last.values()) and not scene.is_over:
        canvas.frame(x, y, side, 3, INK)
    else:
        canvas.frame(x, y, side, 1, LINE)
    canvas.belief(x, y + side + 7, side, 6, scene.belief[i])
    size = 12
    canvas.text(x, y + side + 17, str(i), size, MUTED)
    count = scene.answers[i]
    if count:
        words = f"{count} answer{'s' * (count != 1)}" if side >= 90 else str(count)
        canvas.text(x + side, y + side + 17, words, size, INK, anchor="ra")


def _draw_legend(canvas: Canvas, scene: Scene, missing: int) -> None:
    y = 720 - MARGIN - 14
    x = MARGIN
    for colour, words in zip(SIDES, ("not a member", "member"), strict=True):
        canvas.box(x, y + 2, 12, 12, colour)
        canvas.text(x + 18, y, words, 14, MUTED)
        x += 130 if words != "member" else 90
    frame = "frame: the truth" if scene.truth is not None else "dark frame: asked last"
    rest = f"; {missing} more are not shown" if missing > 0 else ""
    words = f"bar: belief; {frame}; left its number, right its answers{rest}"
    canvas.text(x, y, words, 14, MUTED, width=MARGIN + WIDE - x)


def _draw_slots(canvas: Canvas, scene: Scene) -> None:
    """What was asked last, and the answers."""
    canvas.text(RIGHT, TOP, "Last questions", 17)
    shown = min(scene.settings.slots, SLOTS)
    pitch = min(100, (BOTTOM - TOP - 30) // shown)
    for row in range(shown):
        y, side = TOP + 32 + pitch * row, pitch - 12
        slot = scene.last.get(row)
        if slot is None:
            canvas.box(RIGHT, y, side, side, PANEL)
            canvas.text(RIGHT + side + 14, y + side / 2, "empty", 14, MUTED, anchor="lm")
        else:
            _draw_slot(canvas, scene, slot, y, side)
    

def _draw_slot(canvas: Canvas, scene: Scene, slot: Slot, y: float, side: int) -> None:
    question = scene.question(slot)
    canvas.picture(RIGHT, y, side, scene.images[slot.candidate])
    x = RIGHT + side + 8
    if slot.image is not None:
        canvas.picture(x, y, side, slot.image)
        x += side + 8
    x += 6
    width = RIGHT + SIDE - x
    middle = y + side / 2
    if slot.values is None:
        said, colour = f"refused: it costs {question.price}", REFUSED
    else:
        said, colour = f"{question.price} rows, d {slot.values[DISTANCE]:.3g}", MUTED
    canvas.text(x, middle - 10, f"{slot.candidate}: {question.name}", 15, width=width, anchor="lm")
    canvas.text(x, middle + 11, said, 14, colour, width=width, anchor="lm")
