"""JSON schemas of what travels between an OpenEnv client and a hosted task."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from miagym.remote.pictures import UPLOADED
from miagym.remote.spaces import game_spaces

Schema = dict[str, Any]

PNG: Schema = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
FIXED = {"candidate": "candidates", "caption": "captions"}
"""Of a service, whose one candidate travels as a hand of one."""


def schemas(told: dict[str, Any]) -> dict[str, Schema]:
    """Schemas of actions, observations and state.

    Args:
        told: of the task, as `GET /tasks/{task}` gives it.
    """
    seen, done = game_spaces(told)
    action = {name: _part(name, space) for name, space in done.spaces.items()}
    dynamic = {name for name in seen.spaces if name not in {*FIXED, *FIXED.values()}}
    changing = {name: _part(name, seen.spaces[name]) for name in sorted(dynamic)}
    texts, numbers = _rows({"type": "string"}), _rows(_rows({"type": "integer"}))
    begun = {"names": texts, "captions": texts, "tokens": numbers, "candidates": _rows(PNG)}
    return {
        "action": _record({**action, "metadata": {"type": "object"}}, required=()),
        "observation": _record({"hand": {"type": "integer"}, **begun, **changing}, sorted(dynamic)),
        "state": _record(
            {
                "episode_id": {"type": ["string", "null"]},
                "step_count": {"type": "integer", "minimum": 0},
                "hand": {"type": ["integer", "null"]},
            },
            ("episode_id", "step_count", "hand"),
        ),
    }


def _record(parts: Schema, required: list[str] | tuple[str, ...]) -> Schema:
    shape = {"type": "object", "properties": parts, "required": list(required)}
    return {**shape, "additionalProperties": False}


def _rows(of: Schema, count: int | None = None) -> Schema:
    exactly = {} if count is None else {"minItems": count, "maxItems": count}
    return {"type": "array", "items": of, **exactly}


def _part(name: str, space: spaces.Space[Any]) -> Schema:
    """A part of an action or an observation: pictures as PNG, numbers as nested lists."""
    if name in UPLOADED:
        return PNG
    if name == "images":
        assert space.shape is not None
        return _rows({"anyOf": [PNG, {"type": "null"}]}, space.shape[0])
    if isinstance(space, spaces.Box):
        kind = "integer" if np.issubdtype(space.dtype, np.integer) else "number"
        limits = {"minimum": space.low.min().item(), "maximum": space.high.max().item()}
        return _nested({"type": kind, **limits}, space.shape)
    if isinstance(space, spaces.Discrete):
        first, count = int(space.start), int(space.n)
        return {"type": "integer", "minimum": first, "maximum": first + count - 1}
    if isinstance(space, spaces.MultiDiscrete):
        most = int(space.nvec.max()) - 1
        return _nested({"type": "integer", "minimum": 0, "maximum": most}, space.shape)
    if isinstance(space, spaces.MultiBinary):
        return _nested({"type": "integer", "minimum": 0, "maximum": 1}, space.shape)
    return {"type": "string"}


def _nested(one: Schema, shape: tuple[int, ...]) -> Schema:
    for count in reversed(shape):
        one = _rows(one, count)
    return one
