"""An episode as a picture fit for a talk: what all of them share, whatever is played."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.envs.rendering.canvas import Canvas
from miagym.envs.rendering.pool import draw_pool
from miagym.envs.rendering.scene import Scene
from miagym.envs.rendering.single import draw_single


def picture_of(scene: Scene) -> NDArray[np.uint8]:
    """(720, 1280, 3), 8 bit, whatever the target's resolution is."""
    canvas = Canvas()
    draw = draw_pool if scene.history is None else draw_single
    draw(canvas, scene)
    return canvas.pixels()
