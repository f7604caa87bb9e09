"""Request size limit. Gradio bounds each uploaded file, and nothing else."""

from __future__ import annotations

from gradio.route_utils import API_PREFIX
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miagym.checking.upload import MAX_BYTES

MAX_PICTURES = 20
"""Pictures of one set."""
UPLOAD = f"{API_PREFIX}/upload"
"""Where files go, and nothing else."""
MAX_FILES = (MAX_PICTURES + 1) * MAX_BYTES
"""Bytes of all files of one upload: a set of pictures, and the texts beside them."""
MAX_JSON = 2_000_000
"""Bytes of any other request: 20,000 captions to audit. Each that waits is held in memory, where
it may be twelve times as large."""


class BodyLimit:
    """Refuses a request that is too large: by its header before it is read, or else meanwhile.

    Args:
        app: what answers the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        most = MAX_FILES if scope["path"] == UPLOAD else MAX_JSON
        sentence = f"This request has more than {most / 1e6:.0f} MB; send less at once."
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isdecimal() and int(stated) > most:
            refusal = JSONResponse({"detail": sentence}, status_code=413)
            return await refusal(scope, receive, send)
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > most:
                raise HTTPException(413, sentence)
            return message

        await self._app(scope, counted, send)
