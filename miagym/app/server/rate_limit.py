"""Rate limit: an allowance of UNet rows an hour for each client, told apart by address."""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Lock
from typing import TypeVar

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from miagym.errors import RateLimitExceeded
from miagym.progress import Progress

T = TypeVar("T")

HOUR = 3600.0
MAX_CLIENTS = 10_000
"""Of which allowances are kept; the one that has been away longest is forgotten first."""

MCP_PATH = "/gradio_api/mcp"
"""In the paths of all requests of agents."""
MCP_CLIENT = "mcp"
"""How Gradio names itself, in a header, when it asks its own page for an agent."""
CLIENT_HEADER = "x-miagym-client"
_SECRET = secrets.token_bytes(32)


class Allowance:
    """Token bucket of each client: it fills up evenly, to `rows` in an hour, in memory.

    Args:
        rows: UNet rows an hour.
        clock: seconds, never going back.
    """

    def __init__(self, rows: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = rows
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def left(self, client: str) -> int:
        """UNet rows that a client may ask for now."""
        with self._lock:
            return int(self._filled(client))

    def take(self, client: str, rows: int) -> None:
        """Takes rows from a client's allowance, before anything is computed.

        Raises:
            RateLimitExceeded: if it does not hold so many; then nothing is taken.
        """
        with self._lock:
            left = self._enough(client, rows)
            self._left[client] = (left - rows, self._clock())
            self._left.move_to_end(client)
            while len(self._left) > MAX_CLIENTS:
                self._left.popitem(last=False)

    def paid(
        self, client: str, rows: int, work: Callable[[Progress], T]
    ) -> Callable[[Progress], T]:
        """Work that takes its rows when its turn comes: nobody pays for having waited.

        Raises:
            RateLimitExceeded: now if it could not be paid now, by the work if it cannot be then.
        """
        with self._lock:
            self._enough(client, rows)

        def paid(progress: Progress) -> T:
            self.take(client, rows)
            return work(progress)

        return paid

    def _enough(self, client: str, rows: int) -> float:
        """What is left, which is no less than `rows`."""
        left = self._filled(client)
        if rows <= left:
            return left
        wait = (rows - left) / self.rows * HOUR
        can = (
            f"wait {max(1, round(wait / 60))} minutes, or ask for less"
            if rows <= self.rows
            else "ask for less, or run miagym on your own machine"
        )
        raise RateLimitExceeded(
            f"This takes {rows:,} UNet rows, and {int(left):,} of your {self.rows:,} an hour are "
            f"left; {can}."
        )

    def _filled(self, client: str) -> float:
        now = self._clock()
        left, when = self._left.get(client, (float(self.rows), now))
        return min(float(self.rows), left + (now - when) / HOUR * self.rows)


def client_id(request: gr.Request | None) -> str:
    """The address of who asks. Behind a Space's proxies, the one that they themselves wrote down.

    Elsewhere their header is the client's own to forge, and is not read. An agent's call is known
    by its signed header; calls without one are one client, for their headers are anybody's.
    """
    if request is None:
        return "local"
    signed = _verified(request.headers.get(CLIENT_HEADER, ""))
    if signed is not None:
        return signed
    here = request.client.host if request.client else "local"
    if not os.environ.get("SPACE_ID") and request.headers.get("x-gradio-user") == MCP_CLIENT:
        return MCP_CLIENT
    return _address(request.headers, here)


class McpClientIds:
    """Middleware that signs the address of each request to the MCP server into a header of it.

    Gradio answers a tool call by asking its own page over loopback, with the headers of the call:
    all agents would share the address of this machine, and who sends an `x-forwarded-for` would be
    believed, since servers trust a proxy on their own machine. The header travels along. It is
    signed with a secret of this process, so that nobody can write one.

    Args:
        app: what is served.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and MCP_PATH in scope["path"]:
            headers = MutableHeaders(raw=list(scope["headers"]))
            client = scope.get("client")
            headers[CLIENT_HEADER] = _signed(_address(headers, client[0] if client else "local"))
            scope = {**scope, "headers": headers.raw}
        await self._app(scope, receive, send)


def _address(headers: Mapping[str, str], here: str) -> str:
    """The client's address, where the connection comes from `here`.

    Behind a Space's proxies it is the last public one of the forwarded: each of them adds what it
    sees to the end, and they see each other under private addresses. What a client has forged
    stands before. Of IPv6 it is the network of 64 bits, which a household has to itself.
    """
    if not os.environ.get("SPACE_ID"):
        return here
    name = "x-forwarded-for"
    lines = headers.getlist(name) if isinstance(headers, Headers) else [headers.get(name, "")]
    public = [found for entry in ",".join(lines).split(",") if (found := _public(entry))]
    if not public:
        return here
    last = public[-1]
    return str(IPv6Network((last, 64), strict=False) if last.version == 6 else last)


def _public(entry: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(entry.strip())
    except ValueError:
        return None
    return found if found.is_global else None


def _signed(address: str) -> str:
    return f"{_signature(address)} {address}"


def _verified(header: str) -> str | None:
    signature, _, address = header.partition(" ")
    right = hmac.compare_digest(signature.encode(), _signature(address).encode())
    return address if right else None


def _signature(address: str) -> str:
    return hmac.new(_SECRET, address.encode(), "sha256").hexdigest()
