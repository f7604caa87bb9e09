"""Limits of a server: the size of a body, and how often a key may ask."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 1_000_000
A_SECOND, AT_ONCE = 20.0, 60.0
"""Requests of a key: how many more it gets each second, and how many it can save up."""
MAX_KNOWN = 4096
"""Keys and addresses that are remembered."""


class BodyTooLarge(Exception):
    """Raised where a body goes on beyond the limit."""


class BodyLimit:
    """Refuses bodies above a limit before they are read, also those that do not tell their length.

    Args:
        app: what is protected.
        refuse: makes the reply, an ASGI application.
    """

    def __init__(self, app: ASGIApp, refuse: ASGIApp) -> None:
        self._app, self._refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > MAX_BYTES:
            await self._refuse(scope, receive, send)
            return
        seen, begun = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BYTES:
                raise BodyTooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except BodyTooLarge:
            if not begun:
                await self._refuse(scope, receive, send)


class Bucket:
    """Token bucket of each key.

    Args:
        clock: seconds, which only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Takes one request, and returns 0, or the seconds to wait for one."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(key, (AT_ONCE, now))
            left = min(AT_ONCE, left + (now - at) * A_SECOND)
            wait = 0.0 if left >= 1 else (1 - left) / A_SECOND
            self._left[key] = (left - (wait == 0), now)
            while len(self._left) > MAX_KNOWN:
                self._left.popitem(last=False)
        return wait
