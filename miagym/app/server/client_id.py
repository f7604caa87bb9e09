"""Client identity: who asks, by address or by browser, signed into each request once."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MCP_CLIENT = "mcp"
"""How Gradio names itself, in a header, when it asks its own page for an agent."""
CLIENT_HEADER = "x-miagym-client"
COOKIE = "miagym-browser"
BROWSER = "browser "
"""Begins the identity of a browser; the others are addresses."""
_SECRET = secrets.token_bytes(32)


def client_id(request: Any) -> str:
    """Who asks: the address, or in class mode the browser.

    `ClientIds` has signed it into a header. Calls that Gradio makes for agents without one are one
    client, for their headers are anybody's.

    Args:
        request: of Gradio or of Starlette; None for a call from within this process.
    """
    if request is None:
        return "local"
    signed = _verified(request.headers.get(CLIENT_HEADER, ""))
    if signed is not None:
        return signed
    return _by_address(request.headers, request.client.host if request.client else "local")


class ClientIds:
    """Middleware that signs who sends a request into a header of it.

    Gradio answers an agent's tool call by asking its own page over loopback, with the headers of
    the call: all agents would share the address of this machine, and who sends an
    `x-forwarded-for` would be believed, since servers trust a proxy on their own machine. The
    header travels along. It is signed with a secret of this process, so that nobody can write one.

    Args:
        app: what is served.
        per_browser: whether browsers behind one address are told apart, by a cookie that holds a
            random number. Who drops it is known by the address.
    """

    def __init__(self, app: ASGIApp, per_browser: bool = False) -> None:
        self._app, self._per_browser = app, per_browser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = MutableHeaders(raw=list(scope["headers"]))
        browser = _browser(headers) if self._per_browser else None
        if _verified(headers.get(CLIENT_HEADER, "")) is None:
            host = scope["client"][0] if scope.get("client") else "local"
            headers[CLIENT_HEADER] = _signed(browser or _by_address(headers, host))
        if self._per_browser and browser is None:
            send = _giving_cookie(send)
        await self._app({**scope, "headers": headers.raw}, receive, send)


def _giving_cookie(send: Send) -> Send:
    value = _signed(BROWSER + secrets.token_hex(8))

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", [])]}
            cookie = f'{COOKIE}="{value}"; Path=/; HttpOnly; SameSite=Lax'
            MutableHeaders(raw=message["headers"]).append("set-cookie", cookie)
        await send(message)

    return sending


def _browser(headers: Headers) -> str | None:
    """Who the cookie says it is, if this process gave it."""
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(COOKIE)
    except CookieError:
        return None
    name = None if found is None else _verified(found.value)
    return name if name is not None and name.startswith(BROWSER) else None


def _by_address(headers: Mapping[str, str], here: str) -> str:
    """The client by the address of the connection, `here`, or what a Space's proxy wrote down."""
    if not os.environ.get("SPACE_ID") and headers.get("x-gradio-user") == MCP_CLIENT:
        return MCP_CLIENT
    return _address(headers, here)


def _address(headers: Mapping[str, str], here: str) -> str:
    """The client's address, where the connection comes from `here`.

    Elsewhere than on a Space a header is the client's own to forge, and is not read. Behind a
    Space's proxies it is the last public one of the forwarded: each of them adds what it sees to
    the end, and they see each other under private addresses. What a client has forged stands
    before. Of IPv6 it is the network of 64 bits, which a household has to itself.
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


def _signed(client: str) -> str:
    return f"{_signature(client)} {client}"


def _verified(header: str) -> str | None:
    signature, _, client = header.partition(" ")
    right = hmac.compare_digest(signature.encode(), _signature(client).encode())
    return client if right else None


def _signature(client: str) -> str:
    return hmac.new(_SECRET, client.encode(), "sha256").hexdigest()
