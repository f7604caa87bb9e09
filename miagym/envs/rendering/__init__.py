"""Rendering of a game's state as text and as a picture."""

from __future__ import annotations

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from miagym.envs.game import Game
from miagym.envs.rendering.ansi import text_of
from miagym.envs.rendering.canvas import Canvas
from miagym.envs.rendering.pool import draw_pool
from miagym.envs.rendering.scene import scene_of
from miagym.envs.rendering.single import draw_single

MODES = ("ansi", "rgb_array")


def render(game: Game, episode: int, mode: str) -> str | NDArray[np.uint8]:
    """Renders one episode as text ("ansi") or as a picture (720, 1280, 3), 8 bit ("rgb_array").

    The picture's size is the same whatever the target's resolution is.

    Raises:
        ResetNeeded: if no episode has begun.
    """
    if game.candidates[episode] is None:
        raise ResetNeeded("There is nothing to render yet; call reset() first.")
    scene = scene_of(game, episode)
    if mode == "ansi":
        return text_of(scene)
    canvas = Canvas()
    draw = draw_pool if scene.history is None else draw_single
    draw(canvas, scene)
    return canvas.pixels()
