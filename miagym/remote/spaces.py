"""Spaces of a hosted task, from the sizes that its host tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces


def game_spaces(told: dict[str, Any]) -> tuple[spaces.Dict, spaces.Dict]:
    """Observation and action space of a task, those of `miagym/Pool-v0`."""
    n, slots, menu, size = told["candidates"], told["slots"], len(told["menu"]), told["size"]
    width, most = told["statistics"], told["max_statistic"]

    def numbers(*shape: int) -> spaces.Box:
        return spaces.Box(0, most, (*shape, width), np.float32)

    def pictures(count: int) -> spaces.Box:
        return spaces.Box(0, 255, (count, size, size, 3), np.uint8)

    seen = {
        "candidates": pictures(n),
        "captions": spaces.Box(0, told["vocabulary"] - 1, (n, told["tokens"]), np.int32),
        "answered": spaces.MultiBinary(slots),
        "images": pictures(slots),
        "statistics": numbers(slots),
        "count": spaces.Box(0, told["max_answers"], (n, menu), np.int32),
        "summary": numbers(n, menu),
        "affordable": spaces.MultiBinary(menu),
        "budget_left": spaces.Box(0, told["budget"], (1,), np.int32),
    }
    done = {
        "candidate": spaces.MultiDiscrete([n + 1] * slots),
        "question": spaces.MultiDiscrete([menu] * slots),
        "probability": spaces.Box(0, 1, (n,), np.float32),
        "stop": spaces.Discrete(2),
    }
    return spaces.Dict(seen), spaces.Dict(done)
