"""Fetching from a real server on 127.0.0.1: politely, resumably, and with every kind of rot."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from miagym.data.fetch.folder import STATUS, FetchFolder
from miagym.data.fetch.guard import Forbidden, is_public, public_address
from miagym.data.fetch.report import fetch_report
from miagym.data.fetch.request import FetchOutcome, FetchStatus, Politeness, retry_after
from miagym.data.fetch.run import DATA, REPORT, Fetch, fetch_pictures
from miagym.data.registry import load_data
from miagym.errors import DataError

QUICK = Politeness(
    timeout=0.5, total=2, tries=2, backoff=0.01, max_bytes=50_000, per_host=4, allow_private=True
)


def png(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


class Handler(BaseHTTPRequestHandler):
    """What a path does is its first part: /ok/3, /gone/4, /slow/5 …"""

    def do_GET(self) -> None:
        server: Server = self.server  # type: ignore[assignment]
        with server.lock:
            server.asked[self.path] += 1
            server.agents.add(self.headers["User-Agent"])
            times = server.asked[self.path]
            server.busy += 1
            server.busiest = max(server.busiest, server.busy)
        try:
            getattr(self, self.path.split("/")[1])(times)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with server.lock:
                server.busy -= 1

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def ok(self, times: int) -> None:
        time.sleep(0.01)
        self.reply(200, png(int(self.path.split("/")[2])))

    def gone(self, times: int) -> None:
        self.reply(404)

    def text(self, times: int) -> None:
        self.reply(200, b"<html>This picture has moved.</html>", Content_Type="image/png")

    def half(self, times: int) -> None:
        self.reply(200, png(1)[:-400])

    def huge(self, times: int) -> None:
        self.reply(200, b"x" * 60_000)

    def slow(self, times: int) -> None:
        time.sleep(1)
        self.reply(200, png(2))

    def busy(self, times: int) -> None:
        self.reply(429, Retry_After="1") if times == 1 else self.reply(200, png(3))

    def later(self, times: int) -> None:
        self.reply(503, Retry_After="100000")

    def broken(self, times: int) -> None:
        self.reply(500)

    def circle(self, times: int) -> None:
        self.reply(302, Location=self.path)

    def moved(self, times: int) -> None:
        self.reply(301, Location="/ok/77")

    def inside(self, times: int) -> None:
        self.reply(302, Location="file:///etc/passwd")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.lock = threading.Lock()
        self.busy = self.busiest = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def table(path: Path, urls: dict[str, bool]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["url", "caption", "member"])
        writer.writerows([url, f"caption, of {url}", member] for url, member in urls.items())
    return str(path)


def good(server: Server, n: int) -> dict[str, bool]:
    return {server.url(f"/ok/{i}"): i % 2 == 0 for i in range(n)}


class TestFetch:
    def test_what_came_can_be_loaded(self, server: Server, tmp_path: Path) -> None:
        source = table(tmp_path / "links.csv", good(server, 30))
        report = fetch_pictures(Fetch(source, politeness=QUICK), tmp_path / "out")
        assert report["members"]["fetched"] == report["nonmembers"]["fetched"] == 15
        assert report["p_value"] == 1 and "alike" in report["finding"]
        assert server.busiest <= QUICK.per_host
        assert len(server.agents) == 1 and "miagym/" in server.agents.pop()
        data = load_data(str(tmp_path / "out" / DATA))
        assert len(data) == 30 and data.member.sum() == 15
        assert data.captions[0].startswith("caption, of http")
        with Image.open(io.BytesIO(png(0))) as sent:
            assert (data.candidates(np.array([0]), 24).images[0] == np.asarray(sent)).all()

    def test_every_kind_of_rot_is_named_and_asked_once(
        self, server: Server, tmp_path: Path
    ) -> None:
        ends = {
            "/gone/1": (FetchStatus.ROTTEN, "404 Not Found"),
            "/circle/1": (FetchStatus.ROTTEN, "too many redirects"),
            "/inside/1": (FetchStatus.ROTTEN, "not an http or https link"),
            "/text/1": (FetchStatus.UNREADABLE, "it is no picture in a format that is read"),
            "/huge/1": (FetchStatus.UNREADABLE, "larger than 50,000 bytes"),
            "/slow/1": (FetchStatus.LATER, "no answer in time"),
            "/broken/1": (FetchStatus.LATER, "500 Internal Server Error"),
            "/busy/1": (FetchStatus.FETCHED, ""),
            "/moved/1": (FetchStatus.FETCHED, ""),
        }
        urls = {server.url(path): True for path in ends}
        urls |= {"ftp://example.org/a.png": True, "http://": True, "http://[bad": True}
        urls |= {"http://no-such-host.invalid/a.png": True}
        source = table(tmp_path / "links.csv", urls | {server.url("/ok/1"): False})
        fetch = Fetch(source, politeness=QUICK)
        report = fetch_pictures(fetch, tmp_path / "out")
        folder = FetchFolder(tmp_path / "out")
        found = {path: folder.outcome(server.url(path)) for path in ends}
        folder.close()
        assert found == {path: FetchOutcome(*end) for path, end in ends.items()}
        reasons = report["members"]["reasons"]
        assert reasons["rotten: not an http or https link"] >= 3
        assert report["nonmembers"]["lost"] == 0
        assert json.loads((tmp_path / "out" / REPORT).read_text()) == report
        before = server.asked.copy()
        fetch_pictures(fetch, tmp_path / "out")
        again = {path for path, n in server.asked.items() if n > before[path]}
        assert again == {"/slow/1", "/broken/1"}
        fetch_pictures(Fetch(source, retry=True, politeness=QUICK), tmp_path / "out")
        assert server.asked["/gone/1"] == 2 and server.asked["/ok/1"] == 1

    def test_a_half_picture_is_unreadable(self, server: Server, tmp_path: Path) -> None:
        urls = good(server, 2) | {server.url("/half/1"): True}
        report = fetch_pictures(
            Fetch(table(tmp_path / "l.csv", urls), politeness=QUICK), tmp_path / "out"
        )
        assert report["members"]["unreadable"] == 1
        assert "damaged" in next(iter(report["members"]["reasons"]))

    def test_who_asks_to_wait_for_long_is_left_alone(self, server: Server, tmp_path: Path) -> None:
        urls = {server.url(f"/later/{i}"): i % 2 == 0 for i in range(20)}
        with pytest.raises(DataError, match="No picture of the members could be fetched"):
            fetch_pictures(
                Fetch(table(tmp_path / "l.csv", urls), politeness=QUICK), tmp_path / "out"
            )
        assert server.asked.total() <= QUICK.per_host
        report = json.loads((tmp_path / "out" / REPORT).read_text())
        assert report["members"]["later"] == 10

    def test_a_limit_draws_the_same_links_of_each_side(
        self, server: Server, tmp_path: Path
    ) -> None:
        source = table(tmp_path / "links.csv", good(server, 40))
        for out in ("a", "b"):
            fetch_pictures(Fetch(source, 5, 1, politeness=QUICK), tmp_path / out)
        assert set(server.asked.values()) == {2} and len(server.asked) == 10

    def test_no_picture_leaves_the_table_of_an_earlier_fetch(
        self, server: Server, tmp_path: Path
    ) -> None:
        source, out = table(tmp_path / "links.csv", good(server, 24)), tmp_path / "out"
        fetch_pictures(Fetch(source, 3, politeness=QUICK), out)
        fetch_pictures(Fetch(source, 5, politeness=QUICK), out)
        fetch_pictures(Fetch(source, politeness=QUICK), out)
        before, asked = (out / DATA).read_bytes(), server.asked.total()
        with pytest.raises(DataError, match=r"24 pictures, of which this fetch asks for 6; .*out="):
            fetch_pictures(Fetch(source, 3, politeness=QUICK), out)
        assert (out / DATA).read_bytes() == before and server.asked.total() == asked
        (out / DATA).write_bytes(b"somebody's own")
        with pytest.raises(DataError, match="is no table of a fetch"):
            fetch_pictures(Fetch(source, politeness=QUICK), out)

    def test_a_link_of_both_sides_stays_with_the_members(
        self, server: Server, tmp_path: Path
    ) -> None:
        path = tmp_path / "links.csv"
        rows = [("/ok/1", False), ("/ok/1", True), ("/ok/2", False), ("/ok/2", False), ("", True)]
        lines = [f"{server.url(u) if u else ''},{m}" for u, m in rows]
        path.write_text("\n".join(["url,member", *lines]))
        report = fetch_pictures(Fetch(str(path), politeness=QUICK), tmp_path / "out")
        assert report["members"]["fetched"] == report["nonmembers"]["fetched"] == 1
        assert report["left_out"] == {"no link": 1, "link repeated": 1, "link of a member": 1}

    def test_tables_without_links_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("caption,member\na,true\nb,false\n")
        with pytest.raises(DataError, match="lacks the column url"):
            fetch_pictures(Fetch(str(path)), tmp_path / "out")
        path.write_text("url,member\nhttp://a/b,true\n")
        with pytest.raises(DataError, match="no links of non-members"):
            fetch_pictures(Fetch(str(path)), tmp_path / "out")


class TestAddresses:
    def test_private_hosts_are_not_asked(self, server: Server, tmp_path: Path) -> None:
        urls = good(server, 4)
        with pytest.raises(DataError, match="could be fetched"):
            fetch_pictures(Fetch(table(tmp_path / "l.csv", urls)), tmp_path / "out")
        assert not server.asked
        report = json.loads((tmp_path / "out" / REPORT).read_text())
        assert report["members"]["reasons"] == {"rotten: a private address": 2}

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "::1",
            "fe80::1%eth0",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ],
    )
    def test_private_addresses(self, address: str) -> None:
        assert not is_public(address)

    def test_public_addresses(self) -> None:
        assert is_public("1.1.1.1") and is_public("2606:4700:4700::1111")
        assert asyncio.run(public_address("127.0.0.1", allow_private=True)) == "127.0.0.1"
        for name in ("localhost", "127.1", "2130706433", "0x7f000001"):
            with pytest.raises(Forbidden):
                asyncio.run(public_address(name))


class TestResuming:
    @pytest.mark.slow
    def test_killed_fetches_lose_nothing_and_ask_nothing_twice(
        self, server: Server, tmp_path: Path
    ) -> None:
        urls = good(server, 150) | {server.url(f"/gone/{i}"): i % 2 == 0 for i in range(50)}
        source, out = table(tmp_path / "links.csv", urls), tmp_path / "out"
        code = (
            "import sys; from pathlib import Path\n"
            "from miagym.data.fetch.run import Fetch, fetch_pictures\n"
            "from miagym.data.fetch.request import Politeness\n"
            "politeness = Politeness(per_host=2, allow_private=True)\n"
            "fetch_pictures(Fetch(sys.argv[1], politeness=politeness), "
            "Path(sys.argv[2]))"
        )
        command = [sys.executable, "-c", code, source, str(out)]
        kills = 0
        for goal in (20, 60, 120, 170):
            running = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
            while server.asked.total() < goal and running.poll() is None:
                time.sleep(0.005)
            running.send_signal(signal.SIGKILL)
            kills += running.wait() == -signal.SIGKILL
        assert kills >= 3
        with (out / STATUS).open("a") as status:
            status.write('{"key": "half a li')
        assert subprocess.run(command, check=False).returncode == 0
        in_flight = 2 * kills
        assert server.asked.total() <= len(urls) + in_flight
        assert set(server.asked) == {url.removeprefix(server.url("")) for url in urls}
        assert len(load_data(str(out / DATA))) == 150
        before = server.asked.total()
        assert subprocess.run(command, check=False).returncode == 0
        assert server.asked.total() == before

    def test_two_at_once_are_refused(self, tmp_path: Path) -> None:
        folder = FetchFolder(tmp_path)
        with pytest.raises(DataError, match="Another fetch is at work"):
            FetchFolder(tmp_path)
        folder.close()
        FetchFolder(tmp_path).close()


class TestReport:
    def test_a_side_that_rots_more_is_a_shift(self) -> None:
        member = np.repeat([True, False], 1000)
        lost = FetchOutcome(FetchStatus.ROTTEN, "404 Not Found")
        there = FetchOutcome(FetchStatus.FETCHED)
        outcomes = [lost] * 300 + [there] * 700 + [lost] * 200 + [there] * 800
        report = fetch_report(member, outcomes)
        assert report["p_value"] == pytest.approx(3.0e-7, rel=0.2)
        assert report["finding"].startswith("Members' links rot more (30.0% against 20.0%")
        low, high = report["members"]["lost_ci"]
        assert low < 0.3 < high
        assert report["members"]["reasons"] == {"rotten: 404 Not Found": 300}

    def test_retry_after(self) -> None:
        assert retry_after("7") == 7
        assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
        assert retry_after("soon") is None and retry_after("") is None
