"""ZeroGPU: a Space lends a GPU for the length of a call; everywhere else there is none.

A function on ZeroGPU runs in a process of its own: arguments and result are pickled, and what it
remembers is not seen here. So visitors pay here, games are kept here, on the CPU; and there it
is only computed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

IS_ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""As the package `spaces`, which lends them, reads it."""
PAGE_DEVICE = "cpu" if IS_ZERO_GPU else "auto"
"""Where this process puts its targets."""


def on_zero_gpu(task: Callable[P, T], seconds: Callable[P, int]) -> Callable[P, T] | None:
    """The same function, on a GPU in another process; None where no GPU is lent.

    Has to be called before the page is launched, which without such a function fails on ZeroGPU.

    Args:
        task: a function of a module, so that it can be pickled.
        seconds: given the same arguments, what the visitor's quota is charged with at most.
    """
    if not IS_ZERO_GPU:
        return None
    from spaces import GPU  # type: ignore[import-not-found]

    return GPU(duration=seconds)(task)
