"""Spaces of a hosted task, from the sizes that its host tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from miagym.remote.services import MAX_GUIDANCE, Prompt, Service


def game_spaces(told: dict[str, Any]) -> tuple[spaces.Dict, spaces.Dict]:
    """Observation and action space of a task: of `miagym/Service-v0`, or of `miagym/Pool-v0`."""
    return _of_a_service(told) if told["service"] else _of_a_pool(told)


def _of_a_pool(told: dict[str, Any]) -> tuple[spaces.Dict, spaces.Dict]:
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


def _of_a_service(told: dict[str, Any]) -> tuple[spaces.Dict, spaces.Dict]:
    kinds, most, size, side = len(told["menu"]), told["slots"], told["size"], told["answer_side"]
    seen: dict[str, spaces.Space[Any]] = {
        "candidate": spaces.Box(0, 255, (size, size, 3), np.uint8),
        "caption": spaces.Box(0, told["vocabulary"] - 1, (told["tokens"],), np.int32),
        "answered": spaces.MultiBinary(most),
        "images": spaces.Box(0, 255, (most, side, side, 3), np.uint8),
        "count": spaces.Box(0, told["max_answers"] * most, (kinds,), np.int32),
        "affordable": spaces.MultiBinary(kinds),
        "budget_left": spaces.Box(0, told["budget"], (1,), np.int32),
    }
    if told["filter"] is not None:
        seen["refused"] = spaces.MultiBinary(1)
    service = Service(told["service"])
    return spaces.Dict(seen), call_space(service, kinds, most, size, told["steps"], told["seeds"])


def call_space(
    service: Service, kinds: int, most: int, size: int, steps: int, seeds: int
) -> spaces.Dict:
    """Space of a call to a service.

    Args:
        service: what it takes.
        kinds: of calls.
        most: pictures that a call may bring.
        size: of an uploaded picture, in pixels a side.
        steps: DDIM steps of a whole text to image.
        seeds: how many a caller can choose from.
    """
    call: dict[str, spaces.Space[Any]] = {
        "question": spaces.Discrete(kinds),
        "prompt": Prompt(),
        "pictures": spaces.Discrete(most, start=1),
        "probability": spaces.Box(0, 1, (), np.float32),
        "stop": spaces.Discrete(2),
    }
    if service.takes_uploads:
        call["picture"] = spaces.Box(0, 255, (size, size, 3), np.uint8)
        call["strength"] = spaces.Box(1 / steps, 1, (), np.float32)
    if service.takes_masks:
        call["mask"] = spaces.MultiBinary((size, size))
    if service.takes_seeds:
        call["seed"] = spaces.Discrete(seeds)
    if service.takes_guidance:
        call["guidance"] = spaces.Box(1, MAX_GUIDANCE, (), np.float32)
    return spaces.Dict(call)
