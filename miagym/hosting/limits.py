"""Limits of a server: the size of a body, and how often a key may ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miagym.errors import TooManyRequests

MAX_BYTES = 1_000_000
A_SECOND, AT_ONCE = 20.0, 60.0
"""Requests of a key: how many more it gets each second, and how many it can save up."""

TOGETHER = 8
"""Requests of a key that are played at the same time, and its connections."""
SOON = 1.0
"""Seconds after which to ask again where there is no telling how long it takes."""


class Together:
    """Counts what each key has being played or open, since threads are few.

    Requests about one walk wait for one another, each in a thread of its own: a key that sends
    many at once would leave none for others.

    Args:
        refusal: of one too many, a sentence.
    """

    def __init__(self, refusal: str) -> None:
        self._playing, self._lock, self._refusal = Counter[str](), Lock(), refusal

    @contextmanager
    def one_more(self, player: str) -> Iterator[None]:
        """Context of one request or connection of a player's.

        Raises:
            TooManyRequests: if as many are at work as a key may have.
        """
        with self._lock:
            if self._playing[player] >= TOGETHER:
                raise TooManyRequests(self._refusal, SOON)
            self._playing[player] += 1
        try:
            yield
        finally:
            with self._lock:
                self._playing[player] -= 1


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
            if begun or seen <= MAX_BYTES:  # else it is what became of the exception on its way
                begun = True
                await send(message)

        with suppress(BodyTooLarge):
            await self._app(scope, counted, noted)
        if not begun and seen > MAX_BYTES:
            await self._refuse(scope, receive, send)
