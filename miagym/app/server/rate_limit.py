"""What a visitor may use, an allowance of UNet rows an hour kept on the server; and who one is."""

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
REMEMBERED = 10_000
"""Visitors; the one who has been away longest is forgotten first."""

MCP = "/gradio_api/mcp"
"""In the paths of all requests of agents."""
AGENT = "mcp"
"""How Gradio names itself, in a header, when it asks its own page for an agent."""
MARK = "x-miagym-visitor"
_SECRET = secrets.token_bytes(32)


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
            RateLimitExceeded: if it does not hold so many; then nothing is taken.
        """
        with self._lock:
            left = self._enough(visitor, rows)
            self._left[visitor] = (left - rows, self._clock())
            self._left.move_to_end(visitor)
            while len(self._left) > REMEMBERED:
                self._left.popitem(last=False)

    def paid(
        self, visitor: str, rows: int, work: Callable[[Progress], T]
    ) -> Callable[[Progress], T]:
        """Work that takes its rows when its turn comes: nobody pays for having waited.

        Raises:
            RateLimitExceeded: now if it could not be paid now, by the work if it cannot be then.
        """
        with self._lock:
            self._enough(visitor, rows)

        def paid(progress: Progress) -> T:
            self.take(visitor, rows)
            return work(progress)

        return paid

    def _enough(self, visitor: str, rows: int) -> float:
        """What is left, which is no less than `rows`."""
        left = self._filled(visitor)
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

    def _filled(self, visitor: str) -> float:
        now = self._clock()
        left, when = self._left.get(visitor, (float(self.rows), now))
        return min(float(self.rows), left + (now - when) / HOUR * self.rows)


def visitor_of(request: gr.Request | None) -> str:
    """Who asks: an address. Behind a Space's proxies, the one that they themselves wrote down.

    Elsewhere their header is the visitor's own to forge, and is not read. An agent's call is told
    by its mark; those that bear none are one visitor, for their headers are anybody's.
    """
    if request is None:
        return "local"
    marked = _signer_of(request.headers.get(MARK, ""))
    if marked is not None:
        return marked
    here = request.client.host if request.client else "local"
    if not os.environ.get("SPACE_ID") and request.headers.get("x-gradio-user") == AGENT:
        return AGENT
    return _address(request.headers, here)


class AgentsMarked:
    """Middleware that marks each request to the MCP server with the address it came from.

    Gradio answers a tool call by asking its own page over loopback, with the headers of the call:
    all agents would share the address of this machine, and who sends an `x-forwarded-for` would be
    believed, since servers trust a proxy on their own machine. The mark travels along. It is signed
    with a secret of this process, so that nobody can write one.

    Args:
        app: what is served.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and MCP in scope["path"]:
            headers = MutableHeaders(raw=list(scope["headers"]))
            client = scope.get("client")
            headers[MARK] = _signed(_address(headers, client[0] if client else "local"))
            scope = {**scope, "headers": headers.raw}
        await self._app(scope, receive, send)


def _address(headers: Mapping[str, str], here: str) -> str:
    """The visitor's address, where the connection comes from `here`.

    Behind a Space's proxies it is the last public one of the forwarded: each of them adds what it
    sees to the end, and they see each other under private addresses. What a visitor has forged
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


def _signer_of(mark: str) -> str | None:
    signature, _, address = mark.partition(" ")
    right = hmac.compare_digest(signature.encode(), _signature(address).encode())
    return address if right else None


def _signature(address: str) -> str:
    return hmac.new(_SECRET, address.encode(), "sha256").hexdigest()
