"""A visitor's allowance holds on the server, whatever is asked."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent
from starlette.datastructures import Headers

from miagym.app.server import rate_limit
from miagym.app.server.bill import AT_WORK, JobBill
from miagym.app.server.client_id import CLIENT_HEADER, MCP_CLIENT, client_id
from miagym.app.server.errors import APOLOGY, page_errors
from miagym.app.server.jobs import Cancelled, JobQueue, Work
from miagym.app.server.rate_limit import Allowance
from miagym.app.site import default_allowance
from miagym.errors import DataError, RateLimitExceeded
from miagym.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.integers(0, 150), st.floats(0, 4000)), max_size=30))
def test_nobody_gets_more_than_a_full_hour_at_once_or_in_an_hour(
    asked: list[tuple[int, float]],
) -> None:
    clock = Clock()
    allowance = Allowance(100, clock)
    taken: list[tuple[float, int]] = []
    for rows, wait in asked:
        before = allowance.left("a")
        try:
            allowance.take("a", rows)
            taken.append((clock.now, rows))
            assert before is not None and rows <= before + 1 and (allowance.left("a") or 0) >= 0
        except RateLimitExceeded:
            assert before is not None and rows > before and allowance.left("a") == before
        clock.now += wait
    for start, _ in taken:
        in_an_hour = sum(rows for when, rows in taken if start <= when <= start + rate_limit.HOUR)
        assert in_an_hour <= 200, "a full allowance, and what fills up meanwhile"


def test_clients_do_not_pay_for_each_other() -> None:
    clock = Clock()
    allowance = Allowance(100, clock)
    allowance.take("a", 100)
    allowance.take("b", 60)
    with pytest.raises(RateLimitExceeded, match=r"takes 50 .* 0 of your 100 an hour.*30 minutes"):
        allowance.take("a", 50)
    with pytest.raises(RateLimitExceeded, match="your own machine"):
        allowance.take("c", 101)
    clock.now += 1800
    allowance.take("a", 50)
    assert (allowance.left("a"), allowance.left("b")) == (0, 90)


def test_what_fails_after_it_was_paid_is_given_back() -> None:
    allowance = Allowance(100, lambda: 0.0)
    with allowance.paying("a") as pay:
        pay(30)
    with pytest.raises(ZeroDivisionError), allowance.paying("a") as pay:
        pay(20)
        pay(50)
        assert allowance.left("a") == 0
        _ = 1 / 0
    with pytest.raises(RateLimitExceeded), allowance.paying("a") as pay:
        pay(71)
    assert allowance.left("a") == 70


def test_what_waits_is_paid_and_what_never_begins_is_given_back() -> None:
    allowance, line, until = Allowance(100, lambda: 0.0), JobQueue("test"), threading.Event()
    before = line.submit(Work(lambda progress: until.wait(20)))
    waiting = line.submit(allowance.paid("a", JobBill(60), lambda progress: "done"))
    assert allowance.left("a") == 40
    with pytest.raises(RateLimitExceeded, match="takes 60 units, and 40"):
        allowance.paid("a", JobBill(60), lambda progress: pytest.fail("must not run"))
    waiting.cancel()
    until.set()
    assert before.future.result(20) is True and allowance.left("a") == 100
    done = line.submit(allowance.paid("a", JobBill(60), lambda progress: "done"))
    assert done.future.result(20) == "done" and allowance.left("a") == 40


def test_a_job_that_is_stopped_pays_for_what_it_computed() -> None:
    allowance, begun, go_on = Allowance(10_000, lambda: 0.0), threading.Event(), threading.Event()

    def work(progress: Progress) -> None:
        for label, steps in (("first", 2), ("second", 100)):
            done = progress(label, steps)
            for count in range(steps):
                done()
                if label == "second" and count == 9:
                    begun.set()
                    go_on.wait(20)

    bill = JobBill(500, {"first": 1_000, "second": 2_000, "third": 4_000})
    ticket = JobQueue("test").submit(allowance.paid("a", bill, work))
    assert begun.wait(20) and allowance.left("a") == 2_500
    ticket.cancel()
    go_on.set()
    with pytest.raises(Cancelled):
        ticket.future.result(20)
    assert allowance.left("a") == 10_000 - 500 - 1_000 - (11 + AT_WORK) * 20


def test_without_a_limit_nothing_is_counted() -> None:
    allowance = Allowance(None)
    allowance.take("a", 10**12)
    assert allowance.left("a") is None and allowance.max_waiting is None
    assert default_allowance("127.0.0.1").most is None is default_allowance("localhost").most
    assert default_allowance("0.0.0.0").most == default_allowance("192.168.0.7").most == 60_000


def test_many_threads_take_no_more_than_there_is() -> None:
    allowance, got = Allowance(100, lambda: 0.0), []

    def take() -> None:
        for _ in range(50):
            try:
                allowance.take("a", 1)
                got.append(1)
            except RateLimitExceeded:
                pass

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 100


def test_the_longest_away_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CLIENTS", 3)
    allowance = Allowance(10, lambda: 0.0)
    for name in "abcd":
        allowance.take(name, 10)
    assert [allowance.left(name) for name in "abcd"] == [10, 0, 0, 0]


SERVED_PAGE = """
import time
import gradio as gr
from miagym.app.page import serve
from miagym.app.server.uploads import UploadsOnly
from miagym.app.server.client_id import client_id

def who(request: gr.Request) -> str:
    return client_id(request)

with UploadsOnly(analytics_enabled=False) as page:
    gr.api(who, api_name="who")
print(serve(page, prevent_thread_lock=True, quiet=True)[1], flush=True)
time.sleep(600)
"""
FORGED = {
    "x-forwarded-for": "6.6.6.6",
    CLIENT_HEADER: "0" * 64 + " 6.6.6.6",
    "x-real-ip": "6.6.6.6",
}


@dataclass(frozen=True)
class WhoPage:
    """A page in a process of its own that answers who it thinks is asking."""

    url: str

    def by_api(self, address: str, headers: Mapping[str, str] | None = None) -> str:
        transport = httpx.HTTPTransport(local_address=address)
        with httpx.Client(transport=transport, headers=headers, timeout=30) as client:
            call = f"{self.url}gradio_api/call/who"
            event = client.post(call, json={"data": []}).json()["event_id"]
            return json.loads(client.get(f"{call}/{event}").text.strip().rpartition("data: ")[2])[0]

    def by_mcp(self, address: str, headers: Mapping[str, str] | None = None) -> str:
        with ThreadPoolExecutor(1) as pool:  # browser tests leave an event loop in this thread
            return pool.submit(asyncio.run, self._by_mcp(address, headers)).result()

    async def _by_mcp(self, address: str, headers: Mapping[str, str] | None) -> str:
        transport = httpx.AsyncHTTPTransport(local_address=address)
        async with (
            httpx.AsyncClient(transport=transport, headers=headers, timeout=30) as client,
            streamable_http_client(f"{self.url}gradio_api/mcp/", http_client=client) as (
                get,
                put,
                _,
            ),
            ClientSession(get, put) as session,
        ):
            await session.initialize()
            (content,) = (await session.call_tool("who", {})).content
            assert isinstance(content, TextContent)
            return content.text


@contextmanager
def served_page(**variables: str) -> Iterator[WhoPage]:
    command = [sys.executable, "-c", SERVED_PAGE]
    env = {**os.environ, **variables}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        yield WhoPage(next(line for line in process.stdout if line.startswith("http")).strip())
        process.terminate()


@pytest.fixture(scope="module")
def who() -> Iterator[WhoPage]:
    with served_page() as page:
        yield page


linux = pytest.mark.skipif(sys.platform != "linux", reason="only here is all of 127/8 this machine")
"""Visitors from 127.0.0.2 and 127.0.0.3: no server takes these for a proxy of its own."""


@linux
@pytest.mark.slow
def test_agents_are_known_by_their_address_as_programs_are(who: WhoPage) -> None:
    for address in ("127.0.0.2", "127.0.0.3"):
        assert who.by_mcp(address) == who.by_api(address) == address


@linux
@pytest.mark.slow
def test_nobody_is_somebody_else_by_a_header(who: WhoPage) -> None:
    for name, value in FORGED.items():
        assert who.by_api("127.0.0.2", {name: value}) == "127.0.0.2"
        assert who.by_mcp("127.0.0.2", {name: value}) == "127.0.0.2"
    assert who.by_mcp("127.0.0.2", FORGED) == "127.0.0.2"
    assert who.by_api("127.0.0.2", {"x-gradio-user": "mcp"}) == MCP_CLIENT


@pytest.mark.slow
@linux
def test_behind_a_space_s_proxy_agents_are_who_the_proxy_says() -> None:
    with served_page(SPACE_ID="owner/space") as page:
        for ask in (page.by_api, page.by_mcp):
            assert ask("127.0.0.2", FORGED | {"x-forwarded-for": "6.6.6.6, 9.9.9.9"}) == "9.9.9.9"


def asked_with(headers: Mapping[str, str]) -> Any:
    return SimpleNamespace(headers=headers, client=SimpleNamespace(host="127.0.0.1"))


def test_a_header_counts_only_behind_a_space_s_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked_with({"x-forwarded-for": "6.6.6.6, 9.9.9.9"})
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert client_id(request) == "127.0.0.1"
    monkeypatch.setenv("SPACE_ID", "owner/space")
    assert client_id(request) == "9.9.9.9"
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"9.9.9.9")]
    assert client_id(asked_with(Headers(raw=lines))) == "9.9.9.9"
    assert client_id(asked_with({})) == "127.0.0.1"
    assert client_id(None) == "local"


@pytest.mark.parametrize(
    ("forwarded", "visitor"),
    [
        ("6.6.6.6, 9.9.9.9, 10.16.3.80", "9.9.9.9"),  # a second proxy saw the first
        ("9.9.9.9,10.0.0.1 , 192.168.0.7", "9.9.9.9"),
        ("6.6.6.6, 2a01:4f8:1:2:aaaa::1", "2a01:4f8:1:2::/64"),
        ("2a01:4f8:1:2:bbbb::9, fd00::1", "2a01:4f8:1:2::/64"),
        ("10.0.0.1", "127.0.0.1"),
        ("nobody, , 999.1.1.1", "127.0.0.1"),
    ],
)
def test_a_visitor_is_the_last_public_address(
    monkeypatch: pytest.MonkeyPatch, forwarded: str, visitor: str
) -> None:
    monkeypatch.setenv("SPACE_ID", "owner/space")
    assert client_id(asked_with({"x-forwarded-for": forwarded})) == visitor


def test_agents_without_a_mark_share_one_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    for mark in ("", "127.0.0.9", FORGED[CLIENT_HEADER], "ü 127.0.0.9"):
        assert client_id(asked_with({"x-gradio-user": "mcp", CLIENT_HEADER: mark})) == MCP_CLIENT


def test_our_errors_are_said_and_others_are_not() -> None:
    @page_errors
    def refuses() -> None:
        raise DataError("Expected a picture.")

    @page_errors
    def begins():
        yield 1
        raise DataError("Expected more.")

    @page_errors
    def breaks() -> None:
        raise KeyError("/secret/path")

    with pytest.raises(gr.Error, match="Expected a picture"):
        refuses()
    steps = begins()
    assert next(steps) == 1
    with pytest.raises(gr.Error, match="Expected more"):
        next(steps)
    with pytest.raises(gr.Error) as told:
        breaks()
    assert told.value.message == APOLOGY
