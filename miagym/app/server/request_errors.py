"""Request errors: a request that Gradio cannot take is a sentence, and one line in the log."""

from __future__ import annotations

import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger(__name__)
NOT_UNDERSTOOD = (
    "This request could not be understood; /gradio_api/info lists what can be asked here, and how."
)


class RequestErrors:
    """Middleware for what Gradio raises where it should have refused.

    Args:
        app: what is served.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, open_body = False, True

        async def sending(message: Message) -> None:
            nonlocal begun, open_body
            begun = True
            open_body = message["type"] != "http.response.body" or message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http" or (isinstance(error, HTTPException) and not begun):
                raise
            LOG.warning("%s %s: %s", scope["method"], scope["path"], in_a_line(error))
            if not begun:
                answer = JSONResponse({"detail": NOT_UNDERSTOOD}, status_code=400)
                await answer(scope, receive, send)
            elif open_body:  # a stream, which has said what is wrong
                await send({"type": "http.response.body", "body": b""})


def in_a_line(error: BaseException) -> str:
    """What was raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}".replace("\n", " ")
