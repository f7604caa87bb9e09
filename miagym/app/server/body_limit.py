"""Request size limit. Gradio bounds each uploaded file, and nothing else."""

from __future__ import annotations

from gradio.route_utils import API_PREFIX
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miagym.app.server.client_id import client_id
from miagym.app.server.rate_limit import Allowance
from miagym.checking.upload import MAX_BYTES
from miagym.errors import RateLimitExceeded

MAX_PICTURES = 20
"""Pictures of one set."""
UPLOAD = f"{API_PREFIX}/upload"
"""Where files go, and nothing else."""
MAX_FILES = (MAX_PICTURES + 1) * MAX_BYTES
"""Bytes of all files of one upload: a set of pictures, and the texts beside them."""
MAX_JSON = 2_000_000
"""Bytes of any other request: 20,000 captions to audit. Each that waits is held in memory, where
it may be twelve times as large."""
MAX_READ_ON = 10
"""Times the limit that is still read of a refused request, and dropped: a proxy that cannot get
rid of a body answers with an error of its own."""
KILOBYTES_AN_HOUR = 500_000
"""Kilobytes that a visitor may upload: two sets of the largest pictures. They are kept for 25
minutes."""


class BodyLimit:
    """Refuses a request that is too large: by its header before it is read, or else meanwhile.

    Args:
        app: what answers the others.
        uploads: kilobytes that each client may upload; by default no limit.
    """

    def __init__(self, app: ASGIApp, uploads: Allowance | None = None) -> None:
        self._app = app
        self._uploads = Allowance(None) if uploads is None else uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        is_upload = scope["path"].rstrip("/") == UPLOAD
        most = MAX_FILES if is_upload else MAX_JSON
        client = client_id(Request(scope)) if is_upload else ""
        sentence = f"This request has more than {most / 1e6:.0f} MB; send less at once."
        stated = Headers(scope=scope).get("content-length", "")
        size = int(stated) if stated.isdecimal() else 0
        if size > most:
            return await _refuse(413, sentence, most, scope, receive, send)
        try:
            if is_upload:
                self._uploads.take(client, size // 1000)
        except RateLimitExceeded as error:
            return await _refuse(429, str(error), most, scope, receive, send)
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            before, arrived = arrived, arrived + len(message.get("body", b""))
            if arrived > most:
                raise HTTPException(413, sentence)
            if is_upload and not size:
                try:
                    self._uploads.take(client, arrived // 1000 - before // 1000)
                except RateLimitExceeded as error:
                    raise HTTPException(429, str(error)) from None
            return message

        await self._app(scope, counted, send)


def upload_allowance() -> Allowance:
    """What each client may upload."""
    return Allowance(KILOBYTES_AN_HOUR, unit="kilobytes of uploads")


async def _refuse(
    status: int, sentence: str, most: int, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answers once the body is read, or has become too much to read."""
    read = 0
    while read <= MAX_READ_ON * most:
        message = await receive()
        read += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    refusal = JSONResponse({"detail": sentence}, status_code=status)
    await refusal(scope, receive, send)
