"""One HTTP request for a picture: the bytes behind a link, or why there are none."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

import httpx2

from miagym import __version__
from miagym.data.fetch.guard import Forbidden, GuardedTransport, NoSuchHost


class FetchStatus(StrEnum):
    """Status of a link."""

    FETCHED = "fetched"
    ROTTEN = "rotten"
    """Gone for good; not asked again unless somebody wants it."""
    UNREADABLE = "unreadable"
    """Something came, but no picture that can be read; not asked again either."""
    LATER = "later"
    """No answer, or a plea to come back; asked again the next time."""


@dataclass(frozen=True)
class FetchOutcome:
    """Status of a link, and the reason in a few words."""

    kind: FetchStatus
    why: str = ""


@dataclass(frozen=True)
class Response:
    """Outcome of one request, with the bytes that came and the seconds the server asks to wait."""

    outcome: FetchOutcome
    data: bytes = b""
    wait: float | None = None


@dataclass(frozen=True)
class Politeness:
    """Limits that a fetch keeps towards servers: rates, sizes, timeouts and retries.

    Args:
        connections: questions at a time.
        per_host: questions at a time to one host.
        timeout: seconds without a byte.
        total: seconds for a whole picture.
        max_bytes: of one picture.
        max_redirects: in a row.
        tries: of a link without an answer.
        backoff: seconds before the second try; doubles with each.
        max_wait: a server that asks for more seconds is left alone until the next time.
        allow_private: ask private and loopback addresses too.
    """

    connections: int = 32
    per_host: int = 2
    timeout: float = 15
    total: float = 60
    max_bytes: int = 20_000_000
    max_redirects: int = 5
    tries: int = 3
    backoff: float = 1
    max_wait: float = 120
    allow_private: bool = False


def client(politeness: Politeness) -> httpx2.AsyncClient:
    """HTTP client with miagym's user agent, without proxy and cookies."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(politeness.connections, politeness.allow_private),
        headers={
            "User-Agent": f"miagym/{__version__} (membership inference research; data fetch)",
            "Accept": "image/*,*/*;q=0.5",
            "Accept-Encoding": "identity",
        },
        timeout=httpx2.Timeout(politeness.timeout, pool=None),
        follow_redirects=True,
        max_redirects=politeness.max_redirects,
        trust_env=False,
    )


async def request(web: httpx2.AsyncClient, url: str, politeness: Politeness) -> Response:
    """Requests a link once; never raises for what a server, a link or the network does."""
    web.cookies.clear()
    try:
        async with asyncio.timeout(politeness.total), web.stream("GET", url) as response:
            return await _read(response, politeness.max_bytes)
    except (TimeoutError, httpx2.TimeoutException):
        return _no_answer("no answer in time")
    except httpx2.TooManyRedirects:
        return _rotten("too many redirects")
    except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL, ValueError):
        return _rotten("not an http or https link")
    except Forbidden:
        return _rotten("a private address")
    except NoSuchHost:
        return _rotten("no such host")
    except httpx2.DecodingError:
        return Response(FetchOutcome(FetchStatus.UNREADABLE, "damaged on its way"))
    except httpx2.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return _rotten("no valid certificate")
        return _no_answer("no connection")


async def _read(response: httpx2.Response, max_bytes: int) -> Response:
    status = response.status_code
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or status >= 500:
        wait = retry_after(response.headers.get("Retry-After", ""))
        return Response(FetchOutcome(FetchStatus.LATER, _phrase(status)), wait=wait)
    if status != HTTPStatus.OK:
        return _rotten(_phrase(status))
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > max_bytes:
            return Response(
                FetchOutcome(FetchStatus.UNREADABLE, f"larger than {max_bytes:,} bytes")
            )
    return Response(FetchOutcome(FetchStatus.FETCHED), bytes(data))


def retry_after(header: str) -> float | None:
    """Seconds to wait by the header Retry-After: a number, or a date; None if it says nothing."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _rotten(why: str) -> Response:
    return Response(FetchOutcome(FetchStatus.ROTTEN, why))


def _no_answer(why: str) -> Response:
    return Response(FetchOutcome(FetchStatus.LATER, why))
