"""A GPU for the length of a call, on Spaces that lend one; everywhere else nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SECONDS = 60
"""What a visitor's quota is charged with at most, for one call."""

try:
    from spaces import GPU as _LENT  # type: ignore[import-not-found]
except ImportError:  # also where `spaces` is our own folder, which holds no GPU
    _LENT = None


def on_gpu(handler: Callable[P, T]) -> Callable[P, T]:
    """A handler that runs on a lent GPU, if this is a Space with ZeroGPU."""
    return handler if _LENT is None else _LENT(duration=SECONDS)(handler)
