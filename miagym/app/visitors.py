"""What one visitor may use: an allowance of UNet rows an hour, kept on the server."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import gradio as gr

from miagym.errors import TooMuchAsked

HOUR = 3600.0
REMEMBERED = 10_000
"""Visitors; the one who has been away longest is forgotten first."""


class Allowance:
    """Fills up evenly, to `rows` in an hour; it is counted in the memory of this process.

    Args:
        rows: UNet rows an hour.
        clock: seconds, never going back.
    """

    def __init__(self, rows: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = rows
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def left(self, visitor: str) -> int:
        """UNet rows that a visitor may ask for now."""
        with self._lock:
            return int(self._filled(visitor))

    def take(self, visitor: str, rows: int) -> None:
        """Takes rows from a visitor's allowance, before anything is computed.

        Raises:
            TooMuchAsked: if it does not hold so many; then nothing is taken.
        """
        with self._lock:
            left = self._filled(visitor)
            if rows > left:
                wait = (rows - left) / self.rows * HOUR
                can = (
                    f"wait {max(1, round(wait / 60))} minutes, or ask for less"
                    if rows <= self.rows
                    else "ask for less, or run miagym on your own machine"
                )
                raise TooMuchAsked(
                    f"This takes {rows:,} UNet rows, and {int(left):,} of your {self.rows:,} an "
                    f"hour are left; {can}."
                )
            self._left[visitor] = (left - rows, self._clock())
            self._left.move_to_end(visitor)
            while len(self._left) > REMEMBERED:
                self._left.popitem(last=False)

    def _filled(self, visitor: str) -> float:
        now = self._clock()
        left, when = self._left.get(visitor, (float(self.rows), now))
        return min(float(self.rows), left + (now - when) / HOUR * self.rows)


def visitor_of(request: gr.Request | None) -> str:
    """Who asks: an address. Behind a Space's proxy, the one that the proxy itself wrote down.

    Elsewhere that header is the visitor's own to forge, and is not read.
    """
    if request is None:
        return "local"
    forwarded = request.headers.get("x-forwarded-for") if os.environ.get("SPACE_ID") else None
    if forwarded:
        return forwarded.rpartition(",")[2].strip()
    return request.client.host if request.client else "local"
