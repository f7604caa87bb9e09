"""HTTP transport that resolves a host once and connects to public addresses only.

Links come from strangers, and so do redirects: without this, a link could reach into the network of
whoever fetches it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx2


class Forbidden(Exception):
    """Raised for a host with an address that is not public."""


class NoSuchHost(Exception):
    """Raised for a host that no name server knows."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Transport that checks the address of every request and redirect, and connects to that one.

    Args:
        connections: at most so many at a time.
        allow_private: let private and loopback addresses pass.
    """

    def __init__(self, connections: int, allow_private: bool = False) -> None:
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._inner = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol(f"{request.url.scheme} is neither http nor https")
        host = request.url.raw_host.decode("ascii")
        address = await public_address(host, self._allow_private)
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # `Host` is in them already
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def public_address(host: str, allow_private: bool = False) -> str:
    """Resolves a host to the public address to connect to.

    Raises:
        Forbidden: if any address of the host is not public.
        NoSuchHost: if it has none.
        httpx2.ConnectError: if no name server answers.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise httpx2.ConnectError("no name server answers") from error
        raise NoSuchHost(host) from error
    except UnicodeError as error:  # a label that is empty or too long
        raise NoSuchHost(host) from error
    addresses = sorted({entry[4][0] for entry in found}, key=lambda a: (":" in str(a), str(a)))
    for address in addresses:
        if not allow_private and not is_public(str(address)):
            raise Forbidden(f"{host} has the private address {address}")
    return str(addresses[0])


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet; what embeds an IPv4 one counts as it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        nat64 = ip in ipaddress.ip_network("64:ff9b::/96")
        embedded = ip.ipv4_mapped or ip.sixtofour
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if nat64 else embedded or ip
    return ip.is_global and not ip.is_multicast
