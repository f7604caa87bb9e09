"""Limits of a served page: few waiting events a visitor, turns, uploads, headers, sentences."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from miagym.app.server.body_limit import MAX_JSON
from miagym.app.server.request_errors import NOT_UNDERSTOOD
from miagym.app.server.turns import MAX_WAITING
from tests.app.visiting import Served, served

pytestmark = pytest.mark.slow

PROGRAM = """
import time
import gradio as gr
from miagym.app.html import part
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import api_errors
from miagym.app.server.jobs import JobQueue, result_of
from miagym.app.server.bill import JobBill
from miagym.app.server.rate_limit import Allowance
from miagym.app.server.uploads import UploadsOnly
from miagym.app.site import Site

site = Site(allowance=Allowance(100), per_browser=PER_BROWSER)
queue = JobQueue("test")

def nap(seconds: float) -> str:
    time.sleep(seconds)
    return "awake"

@api_errors
async def evaluate(request: gr.Request) -> str:
    client = client_id(request)
    paid = site.allowance.paid(client, JobBill(60), lambda progress: nap(0.2))
    return await result_of(queue, paid)

with UploadsOnly(analytics_enabled=False) as page:
    gr.api(nap, api_name="nap", concurrency_limit=1)
    gr.api(evaluate, api_name="evaluate", concurrency_limit=None)
    choice = gr.Radio(["a", "b"], label="choice")
    gr.Button().click(lambda chosen: chosen, choice, choice, api_name="choose")
"""
CLASS = 30


@pytest.fixture(scope="module")
def page() -> Iterator[Served]:
    """A page on which a visitor is an address."""
    with served(PROGRAM.replace("PER_BROWSER", "False")) as page:
        yield page


def visitor(page: Served, address: str = "127.0.0.2") -> httpx.Client:
    """Who sends requests from an address of this machine."""
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(transport=transport, base_url=page.address, timeout=120)


def asked(client: httpx.Client, name: str, *data: Any) -> httpx.Response:
    return client.post(f"gradio_api/call/{name}", json={"data": list(data)})


def answered(client: httpx.Client, name: str, *data: Any) -> tuple[str, Any]:
    """The kind of answer, and the answer."""
    event = asked(client, name, *data).json()["event_id"]
    *_, kind, answer = client.get(f"gradio_api/call/{name}/{event}").text.strip().splitlines()
    return kind.removeprefix("event: "), json.loads(answer.removeprefix("data: "))


def test_one_visitor_cannot_keep_the_others_waiting(page: Served) -> None:
    with closing(visitor(page)) as one, closing(visitor(page, "127.0.0.3")) as other:
        sent = [asked(one, "nap", 1.0) for _ in range(100)]
        codes = Counter(response.status_code for response in sent)
        assert set(codes) == {200, 429} and codes[200] <= MAX_WAITING + 8
        refused = next(response for response in sent if response.status_code == 429)
        assert f"You have {MAX_WAITING} requests waiting" in refused.json()["detail"]
        start = time.monotonic()
        assert answered(other, "nap", 0.0) == ("complete", ["awake"])
        assert time.monotonic() - start < 2.6, "its turn comes after one of the others"


def test_what_the_allowance_does_not_hold_is_refused_at_once(page: Served) -> None:
    with closing(visitor(page, "127.0.0.4")) as one:
        assert answered(one, "evaluate") == ("complete", ["awake"])
        kind, said = answered(one, "evaluate")
        assert kind == "error" and "takes 60 units, and 4" in said["error"]


def test_browsers_behind_one_address_are_visitors_of_their_own() -> None:
    with served(PROGRAM.replace("PER_BROWSER", "True")) as page:

        def visit(_: int) -> list[tuple[str, Any]]:
            with closing(visitor(page)) as browser:
                browser.get("")
                assert "miagym-browser" in browser.cookies
                return [answered(browser, "evaluate") for _ in range(2)]

        with ThreadPoolExecutor(CLASS) as pool:
            first, second = zip(*pool.map(visit, range(CLASS)), strict=True)
        assert list(first) == [("complete", ["awake"])] * CLASS
        assert all(kind == "error" and "takes 60" in said["error"] for kind, said in second)
        with closing(visitor(page)) as forger:
            forger.cookies.set("miagym-browser", f"{'0' * 64} browser 1")
            assert answered(forger, "evaluate")[0] == "complete"
            assert answered(forger, "evaluate")[0] == "error"  # known by the address


def test_uploads_are_in_an_allowance(page: Served) -> None:
    with closing(visitor(page, "127.0.0.5")) as one:
        files = [("files", ("a.png", bytes(9_900_000)))] * 20
        for _ in range(2):
            assert one.post("gradio_api/upload", files=files).status_code == 200
        refused = one.post("gradio_api/upload", files=files)
        assert refused.status_code == 429
        assert "kilobytes of uploads, and 10" in refused.json()["detail"]


def test_a_body_that_is_too_large_is_read_and_refused(page: Served) -> None:
    """A proxy, such as Gradio's own under SSR, answers 502 when nobody takes the body."""
    with closing(visitor(page)) as one:
        refused = one.post("gradio_api/queue/join", content=b"x" * (MAX_JSON + 1_000_000))
        assert refused.status_code == 413
        assert refused.json()["detail"].startswith("This request has more than 2 MB")
        assert one.get("config").status_code == 200


def test_headers_let_only_the_hub_frame_the_page(page: Served) -> None:
    for path in ("", "config", "gradio_api/info", "nowhere"):
        headers = httpx.get(page.address + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'self'" and policy["object-src"] == "'none'"
        assert policy["frame-ancestors"] == "'self' https://huggingface.co https://*.hf.space"
    for path in ("monitoring", "monitoring/summary"):
        assert httpx.get(page.address + path).status_code == 403


def test_what_gradio_cannot_take_is_a_sentence_and_no_traceback(page: Served) -> None:
    with closing(visitor(page, "127.0.0.6")) as one:
        for data in (["NOPE"], [{"a": 1}], [], [1, 2]):
            kind, said = answered(one, "choose", *data)
            assert kind == "error" and said["error"].startswith("Expected the inputs that")
        for path, body in (
            ("call/nothing", {"data": []}),
            ("call/v2/nothing", {}),
            ("queue/join", {"data": [], "fn_index": 999, "session_hash": "a"}),
            ("run/predict", {"data": []}),
        ):
            refused = one.post(f"gradio_api/{path}", json=body)
            assert (refused.status_code, refused.json()["detail"]) == (400, NOT_UNDERSTOOD), path
        assert "session_not_found" in one.get("gradio_api/queue/data?session_hash=nobody").text
    log = page.output.read_text(encoding="utf-8")
    assert "Traceback" not in log and "FnIndexInferError" in log
