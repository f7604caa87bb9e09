"""The leaderboard of a host, as its tab reads it from servers that are none or mean harm."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from miagym.app.host_address import host_address
from miagym.app.leaderboard.reading import (
    CLOSED,
    LATE,
    MAX_BYTES,
    NOBODY,
    NONSENSE,
    Board,
    read_board,
)
from miagym.app.leaderboard.view import MAX_DRAWN, board_figure, board_html
from miagym.app.site import Site
from miagym.errors import HostError, SettingsError, UnknownName

XSS = "<img src=x onerror=alert(1)>"
TASKS = [{"task": "a", "about": XSS, "phase": "dev", "menu": []}, {"task": "b/c", "phase": "dev"}]
ROW: dict[str, Any] = {
    "rank": 1,
    "player": "ada",
    "is_blind": False,
    "auc": 0.75,
    "auc_ci": [0.7, 0.8],
    "tpr": None,
    "tpr_ci": None,
    "brier_reward": -0.25,
    "brier_reward_ci": [-0.5, 0.0],
    "spent": 1200,
    "submissions": 3,
}
BLIND = ROW | {"player": "blind", "is_blind": True, "spent": 0, "submissions": 0}

Answer = Callable[[BaseHTTPRequestHandler], bytes | None]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server that sends what `answer` returns, or nothing more where it sends by itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self)
            if body is not None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def standing(rows: object, tasks: object = TASKS) -> Answer:
    return lambda request: json.dumps(tasks if request.path == "/tasks" else rows).encode()


def read(address: str, asked: Any = None, seconds: float = 20.0) -> Board:
    return asyncio.run(read_board(address, asked, seconds))


def test_only_a_page_that_is_told_of_a_host_has_the_tab() -> None:
    *others, last = Site().tabs
    assert "leaderboard" not in Site().tabs
    told = Site(host_url="http://127.0.0.1:8000/", first="leaderboard")
    assert told.tabs == (*others, "leaderboard", last)
    with pytest.raises(UnknownName, match="leaderboard"):
        Site(first="leaderboard")


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:8000", "file:///etc/passwd", "http://", "http://a:x", "http://[", "http://a b"],
)
def test_what_is_no_address_is_refused_before_the_page_opens(text: str) -> None:
    with pytest.raises(SettingsError, match=r"such as http://127\.0\.0\.1:8000"):
        Site(host_url=text)
    assert host_address("http://teacher.local:8000/") == "http://teacher.local:8000"


def test_rows_are_shown_with_intervals_and_the_blind_row_is_marked() -> None:
    third = ROW | {"player": "cy", "rank": 3, "spent": 9, "tpr": 0.5, "tpr_ci": [0.25, 0.75]}
    with answering(standing([ROW, BLIND, third])) as address:
        board = read(address)
    html = board_html(board)
    said = re.sub("<[^>]+>", " ", html)
    for text in ("0.750  [0.700", "-0.250  [-0.500", "50.0 %  [25.0", "1,200", "too few"):
        assert text in said
    assert '<tr class="row blind"><th scope="row">blind (asks nothing)' in html
    assert "Rank 1 is shared by 2 rows: these candidates do not tell them apart." in html
    (drawn,) = board_figure(board).data
    assert list(drawn.y) == ["ada", "blind (asks nothing)", "cy"]


def test_a_board_of_nobody_says_so() -> None:
    with answering(standing([BLIND])) as address:
        html = board_html(read(address))
    assert "Nobody has submitted yet." in html and "is shared" not in html


def test_names_of_players_and_tasks_are_no_html() -> None:
    hidden = "\N{RIGHT-TO-LEFT OVERRIDE}adb"
    rows = [ROW | {"player": XSS}, ROW | {"player": hidden}]
    with answering(standing(rows)) as address:
        board = read(address)
    html = board_html(board)
    assert "<img" not in html and html.count("&lt;img src=x") == 2  # the task's words, the name
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html
    assert "<img" not in board_figure(board).to_json().encode().decode("unicode_escape")


@pytest.mark.parametrize("asked", [None, "none of these", {"task": "a"}, ["a"], 3, "../health"])
def test_only_tasks_of_the_host_are_asked_for(asked: Any) -> None:
    paths: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> bytes | None:
        paths.append(request.path)
        return standing([ROW])(request)

    with answering(answer) as address:
        assert read(address, asked).task.task == "a"
        assert read(address, "b/c").task.task == "b/c"
    assert paths == ["/tasks", "/leaderboard/a", "/tasks", "/leaderboard/b%2Fc"]


NO_BOARDS: dict[str, object] = {
    "no list": {"error": "no"},
    "a row without numbers": [{"player": "ada"}],
    "no number": [ROW | {"auc": float("nan")}],
    "an endless reward": [ROW | {"brier_reward": float("inf")}],
    "no share": [ROW | {"auc": 7}],
    "half an interval": [ROW | {"auc_ci": [0.5]}],
    "a long name": [ROW | {"player": "x" * 65}],
    "a large number": [ROW | {"spent": 10**400}],
    "many rows": [ROW] * 2_001,
}


@pytest.mark.parametrize("rows", NO_BOARDS.values(), ids=NO_BOARDS)
def test_a_board_that_is_none_is_one_sentence(rows: object) -> None:
    with answering(standing(rows)) as address, pytest.raises(HostError) as refused:
        read(address)
    assert str(refused.value) == NONSENSE


def packed(request: BaseHTTPRequestHandler) -> None:
    body = gzip.compress(b"[" + b" " * 100_000_000)
    request.send_response(200)
    request.send_header("Content-Encoding", "gzip")
    request.end_headers()
    request.wfile.write(body)


def elsewhere(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "http://127.0.0.1:1/tasks")
    request.end_headers()


NO_HOSTS: dict[str, Answer] = {
    "no JSON": lambda request: f"<html>{XSS}</html>".encode(),
    "no text": lambda request: b"\xff\xfe\x00",
    "deep": lambda request: b"[" * 500_000,
    "no tasks": lambda request: b"[]",
    "huge": lambda request: b"[" + b" " * (2 * MAX_BYTES) + b"]",
    "packed": packed,
    "sent elsewhere": elsewhere,
}


@pytest.mark.parametrize("answer", NO_HOSTS.values(), ids=NO_HOSTS)
def test_a_server_that_is_no_host_is_one_sentence(answer: Answer) -> None:
    with answering(answer) as address, pytest.raises(HostError) as refused:
        read(address)
    assert str(refused.value) == NONSENSE


def test_a_board_that_is_closed_says_so() -> None:
    def closed(request: BaseHTTPRequestHandler) -> bytes | None:
        if request.path == "/tasks":
            return standing([])(request)
        request.send_response(403)
        request.end_headers()
        return None

    with answering(closed) as address, pytest.raises(HostError) as refused:
        read(address)
    assert str(refused.value) == CLOSED


def test_a_host_that_drips_is_given_up_in_time() -> None:
    """Each byte comes soon after the one before, so that no single wait is long."""

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:  # nobody listens any more
            return

    with answering(drip) as address:
        begun = time.monotonic()
        with pytest.raises(HostError) as refused:
            read(address, seconds=0.5)
        assert time.monotonic() - begun < 5
    assert str(refused.value) == LATE


def test_where_nobody_answers_the_address_is_not_told() -> None:
    with answering(standing([ROW])) as address:
        pass
    with pytest.raises(HostError) as refused:
        read(address)
    assert str(refused.value) == NOBODY and "127.0.0.1" not in NOBODY


def test_a_large_board_is_drawn_in_part_and_listed_whole() -> None:
    rows = [ROW | {"player": f"player-{i}", "rank": i + 1} for i in range(MAX_DRAWN + 20)]
    with answering(standing(rows)) as address:
        board = read(address)
    assert len(board_figure(board).data[0].y) == MAX_DRAWN
    assert board_html(board).count("player-") == MAX_DRAWN + 20
