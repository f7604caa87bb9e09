"""Limits of a server: the size of a body, and how often a key may ask."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 1_000_000
A_SECOND, AT_ONCE = 20.0, 60.0
"""Requests of a key: how many more it gets each second, and how many it can save up."""


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
