"""Picture of a pool: a grid of candidates with the belief about each, and the last answers."""

from __future__ import annotations

import math

from miagym.envs.rendering.canvas import HEIGHT, INK, MUTED, PANEL, REFUSED, SIDES, Canvas, quoted
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
from miagym.envs.rendering.scene import DISTANCE, Scene
from miagym.envs.state.moves import Slot

WIDE, TALL = 752, 500
"""Of the grid."""
GAP, FOOT = 14, 30
"""Between candidates, and what stands below each."""
MAX_SIDE, MIN_SIDE = 256, 36
"""Sides of a candidate; if they got smaller, the rest is left out."""
MAX_SLOTS = 6
"""Slots that are shown."""


def draw_pool(canvas: Canvas, scene: Scene) -> None:
    n = len(scene.images)
    question = "Is this candidate a member?" if n == 1 else f"Which of {n} candidates are members?"
    draw_header(canvas, scene, question)
    draw_label(canvas, MARGIN, "Candidates")
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
        side = min((WIDE + GAP) // columns - GAP, (TALL + GAP) // rows - GAP - FOOT, MAX_SIDE)
        best = max(best, (side, columns, rows))
    if best[0] >= MIN_SIDE:
        return best
    columns, rows = (WIDE + GAP) // (MIN_SIDE + GAP), (TALL + GAP) // (MIN_SIDE + GAP + FOOT)
    return MIN_SIDE, columns, rows


def _draw_candidate(canvas: Canvas, scene: Scene, i: int, x: float, y: float, side: int) -> None:
    canvas.picture(x, y, side, scene.images[i])
    if scene.truth is not None:
        canvas.frame(x, y, side, 4, SIDES[int(scene.truth[i])])
    elif any(slot.candidate == i for slot in scene.last.values()):
        canvas.frame(x, y, side, 3, INK)
    canvas.belief(x, y + side + 7, side, 6, scene.belief[i])
    canvas.text(x, y + side + 17, str(i), 12, MUTED)
    count = int(scene.answers[i])
    if count:
        words = f"{count} answer{'s' * (count != 1)}" if side >= 90 else str(count)
        canvas.text(x + side, y + side + 17, words, 12, anchor="ra")


def _draw_legend(canvas: Canvas, scene: Scene, missing: int) -> None:
    y = HEIGHT - MARGIN - 14
    x = MARGIN
    for colour, words in zip(SIDES, ("not a member", "member"), strict=True):
        canvas.box(x, y + 2, 12, 12, colour)
        canvas.text(x + 18, y, words, 14, MUTED)
        x += 130 if words != "member" else 90
    frame = "frame: the truth" if scene.truth is not None else "dark frame: asked last"
    rest = f"; {missing} more are not shown" if missing > 0 else ""
    words = f"bar: belief; {frame}; below: its number, its answers{rest}"
    canvas.text(x, y, words, 14, MUTED, width=MARGIN + WIDE - x)


def _draw_slots(canvas: Canvas, scene: Scene) -> None:
    """What was asked last, and the answers."""
    slots = scene.settings.slots
    shown = min(slots, MAX_SLOTS)
    of = f", {shown} of {slots}" if shown < slots else ""
    draw_label(canvas, RIGHT, f"Last questions{of}")
    canvas.text(RIGHT + SIDE, TOP - 26, "d: root mean square", 14, MUTED, anchor="ra")
    pitch = min(90, (BOTTOM - TOP) // shown)
    for row in range(shown):
        y, side = TOP + pitch * row, pitch - 12
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
    rows = scene.price(slot)
    lines = [(f"{slot.candidate}: {question.name}", 15, INK)]
    if slot.values is None:
        lines.append((f"refused: it costs {rows}", 14, REFUSED))
    else:
        lines.append((f"{rows}, d {slot.values[DISTANCE]:.3g}", 14, MUTED))
    if side > 60:
        lines.append((quoted(scene.captions[slot.candidate]), 14, MUTED))
    for number, (words, size, colour) in enumerate(lines):
        height = y + side / 2 + 21 * (number - (len(lines) - 1) / 2)
        canvas.text(x, height, words, size, colour, width=width, anchor="lm")
