"""The REST face as programs use it: queries, submissions, and what is refused."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import urlparse

import httpx2
import numpy as np
import pytest
from PIL import Image

from miagym.envs.service.rate_limit import Bucket
from miagym.hosting.limits import A_SECOND, AT_ONCE, MAX_BYTES
from miagym.hosting.records.keys import revoke
from miagym.hosting.records.submissions import Desk
from tests.hosting.serving import Hosted


class Client:
    """What a player's program sends."""

    def __init__(self, hosted: Hosted, name: str) -> None:
        self.http = httpx2.Client(base_url=hosted.address, headers={"X-API-Key": hosted.key(name)})

    @cached_property
    def names(self) -> list[str]:
        return [one["candidate"] for one in self.get("/tasks/small/candidates")]

    def get(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()

    def post(self, path: str, body: object) -> httpx2.Response:
        return self.http.post(path, json=body)

    def query(self, request: str, *whom: int) -> httpx2.Response:
        asked = [{"candidate": self.names[i], "question": "variation@0.3"} for i in whom]
        return self.post("/tasks/small/query", {"request_id": request, "questions": asked})

    def submit(self, text: str) -> httpx2.Response:
        return self.http.post("/submit/small", content=text.encode())


@pytest.fixture
def join(hosted: Hosted) -> Iterator[Any]:
    opened: list[Client] = []

    def join(name: str) -> Client:
        opened.append(Client(hosted, name))
        return opened[-1]

    yield join
    for client in opened:
        client.http.close()


@pytest.fixture
def clock(hosted: Hosted) -> Iterator[list[float]]:
    """The seconds by which requests are counted, which stand still."""
    before, now = hosted.app.state.bucket, [0.0]
    hosted.app.state.bucket = Bucket(A_SECOND, AT_ONCE, lambda: now[0])
    yield now
    hosted.app.state.bucket = before


def test_what_is_told_of_a_task_names_no_target(hosted: Hosted) -> None:
    with httpx2.Client(base_url=hosted.address) as http:
        assert http.get("/health").json()["phase"] == "dev"
        (told,) = http.get("/tasks").json()
        assert told == http.get("/tasks/small").json()
        assert told["menu"] == [{"question": "variation@0.3", "price": 3}]
        assert (told["hands"], told["budget"], told["walks"]) == (3, 9, 2)
        assert "overfit" not in json.dumps(told)
        assert http.get("/nowhere").json() == {
            "error": "There is nothing here; GET /docs lists what there is."
        }


def test_candidates_are_pictures_under_names_of_this_player_alone(
    hosted: Hosted, join: Any
) -> None:
    one, other = join("one"), join("other")
    shown = one.get("/tasks/small/candidates")
    assert len(shown) == 12 == len({each["candidate"] for each in shown})
    assert not set(one.names) & set(other.names)
    assert set(shown[0]) == {"candidate", "hand", "caption", "picture"}
    pictures = [
        {each["picture"] for each in c.get("/tasks/small/candidates")} for c in (one, other)
    ]
    assert pictures[0] == pictures[1], "the same candidates for everybody, otherwise dealt"
    image = Image.open(BytesIO(base64.b64decode(shown[0]["picture"])))
    assert image.size == (64, 64)
    keys = set(hosted.host.table("one", "small").keys().values())
    assert not [key for key in keys if key in json.dumps(shown)]


def test_a_question_is_charged_once_however_often_it_is_sent(hosted: Hosted, join: Any) -> None:
    client = join("thrifty")
    first, again = client.query("request-1", 0, 1), client.query("request-1", 0, 1)
    assert first.status_code == 200 and first.json() == again.json()
    assert hosted.ledger.spent_on("thrifty/small/dev") == 6
    assert first.json()["budget_left"]["0"] == 3
    answers = first.json()["answers"]
    assert [one["answered"] for one in answers] == [True, True]
    assert len(answers[0]["statistics"]) == 8, "of the target and of the public model"
    more = client.query("request-2", 0, 1).json()["answers"]
    assert [one["answered"] for one in more] == [True, False], "the budget of this hand"
    assert more[0]["picture"] != answers[0]["picture"], "asked again, with fresh noise"
    other = client.query("request-1", 2)
    assert other.status_code == 409 and "another request" in other.json()["error"]
    assert client.query("request-3", 4).json()["answers"][0]["answered"], "another hand"


def test_answers_and_deals_differ_by_key(join: Any) -> None:
    one, other = join("left"), join("right")
    shown = {c: c.get("/tasks/small/candidates") for c in (one, other)}
    assert [e["picture"] for e in shown[one]] != [e["picture"] for e in shown[other]]
    place = [e["picture"] for e in shown[other]].index(shown[one][0]["picture"])
    answers = [one.query("request-1", 0), other.query("request-1", place)]
    pictures = [a.json()["answers"][0]["picture"] for a in answers]
    assert pictures[0] != pictures[1], "the noise is not the same"


def test_a_file_of_scores_counts_and_the_last_one_stands(
    hosted: Hosted, join: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = join("filer")
    with monkeypatch.context() as patch:  # else each look would read everybody's files
        patch.setattr(Desk, "all", lambda _: pytest.fail("read"))
        assert client.http.get("/submissions/1").status_code == 404
    scores = dict(zip(client.names, np.linspace(0, 0.9, 12), strict=True))
    text = "ids,score\n" + "".join(f"{name},{score}\n" for name, score in scores.items())
    first = client.submit(text).json()["submission"]
    second = client.submit(text.replace("0.9", "0.95")).json()["submission"]
    assert not client.get(f"/submissions/{first}")["counts"]
    assert client.get(f"/submissions/{second}")["counts"]
    third = client.submit(text)
    assert third.status_code == 429 and "2 files a day" in third.json()["error"]
    last = hosted.host.desk("small").last()
    (mine,) = [one for one in last if one.player == "filer"]
    assert max(mine.scores.values()) == 0.95
    stranger = join("stranger")
    assert stranger.http.get(f"/submissions/{second}").status_code == 404


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda lines: lines[:-1], "1 of 12 candidates have no score"),
        (lambda lines: [*lines, lines[-1]], "for the second time"),
        (lambda lines: [*lines, "f" * 16 + ",0.5"], "1 ids are of no candidate"),
        (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ",nan"], "a finite number"),
        (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ",much"], "a finite number"),
        (lambda lines: ["id,label", *lines[1:]], "first line is ids,score"),
        (lambda lines: [*lines[:-1], lines[-1] + ",0"], "has 3 columns"),
        (
            lambda lines: [
                lines[0],
                *(f"{line.split(',')[0]},{i % 2}" for i, line in enumerate(lines[1:])),
            ],
            "these are labels",
        ),
        (lambda lines: [], "first line is ids,score"),
    ],
)
def test_a_file_that_is_none_is_refused_and_does_not_count(
    spoil: Any, why: str, hosted: Hosted, join: Any, request: pytest.FixtureRequest
) -> None:
    name = f"p{abs(hash(request.node.name)) % 10**9}"
    client = join(name)
    lines = ["ids,score", *(f"{each},0.{i}" for i, each in enumerate(client.names))]
    refused = client.submit("\n".join(spoil(lines)))
    assert refused.status_code == 400 and why in refused.json()["error"]
    assert not [one for one in hosted.host.desk("small").all() if one.player == name]


def test_bodies_are_checked_field_by_field(hosted: Hosted, join: Any) -> None:
    client = join("careless")
    path, good = "/tasks/small/query", {"candidate": client.names[0], "question": "variation@0.3"}
    for body, why in (
        ({}, "request_id: Field required."),
        ({"request_id": "short", "questions": [good]}, "request_id: String should have at least 8"),
        ({"request_id": "x' OR 1=1 --", "questions": [good]}, "request_id: String should match"),
        ({"request_id": "request-9", "questions": []}, "questions: List should have at least 1"),
        ({"request_id": "request-9", "questions": [good] * 65}, "at most 64"),
        ({"request_id": "request-9", "questions": [{"candidate": 1}]}, "questions.0"),
        ({"request_id": "request-9", "questions": [good], "seed": 1}, "seed: Extra inputs"),
        ([1, 2], "the body: "),
    ):
        reply = client.post(path, body)
        assert reply.status_code == 422 and why in reply.json()["error"], reply.text
    for wrong, why in (
        (good | {"candidate": "../../etc/passwd"}, "has such a name"),
        (good | {"candidate": "' OR 1=1 --"}, "has such a name"),
        (good | {"question": "loss@60"}, "a question of the menu: variation@0.3"),
    ):
        reply = client.post(path, {"request_id": "request-9", "questions": [wrong]})
        assert reply.status_code == 404 and why in reply.json()["error"]
    client.post("/tasks/small/reset", {"request_id": "request-8"})
    for content, status, why in (
        (b"{", 422, "JSON decode error"),
        (b'{"a":' * 10**5, 400, "Expected a body of JSON."),
        (b"9" * 5000, 400, "Expected a body of JSON."),
        (b'{"request_id": "request-9", "questions": [], "\\ud800": 1}', 422, "as a unicode string"),
        (b'{"request_id": "request-9", "action": {"\\ud800": 1}}', 400, "got \\ud800"),
    ):
        where = "/tasks/small/step" if b"action" in content else path
        told = {"Content-Type": "application/json"}
        bad = client.http.post(where, content=content, headers=told)
        assert bad.status_code == status and why in bad.json()["error"], bad.text
    assert hosted.ledger.spent_on("careless/small/dev") == 0


def test_keys_that_open_nothing_are_refused(hosted: Hosted, join: Any) -> None:
    gone = join("gone")
    revoke(hosted.ledger, "gone")
    assert gone.http.get("/tasks/small/candidates").status_code == 401
    with httpx2.Client(base_url=hosted.address) as http:
        for header in ({}, {"X-API-Key": "' OR 1=1 --"}, {"Authorization": "Bearer x"}):
            reply = http.get("/tasks/small/candidates", headers=header)
            assert reply.status_code == 401 and "key" in reply.json()["error"]
        key = hosted.key("bearer")
        reply = http.get("/tasks/small/candidates", headers={"Authorization": f"Bearer {key}"})
        assert reply.status_code == 200


def test_who_guesses_keys_is_one_guesser(hosted: Hosted, clock: list[float]) -> None:
    with httpx2.Client(base_url=hosted.address) as http:
        path, tries = "/tasks/small/candidates", int(AT_ONCE) + 1
        codes = [http.get(path, headers={"X-API-Key": str(i)}).status_code for i in range(tries)]
    assert codes == [401] * (tries - 1) + [429]


def test_large_bodies_end_before_they_are_read(hosted: Hosted, join: Any) -> None:
    client = join("large")
    assert client.submit("x" * (MAX_BYTES + 1)).status_code == 413
    for path in ("/submit/small", "/tasks/small/query", "/tasks/small/step"):
        endless = client.http.post(path, content=(b"x" * 65_536 for _ in range(10**6)))
        assert endless.status_code == 413 and "up to 1,000,000 bytes" in endless.json()["error"]
    where = urlparse(hosted.address)
    with socket.create_connection((where.hostname, where.port)) as raw:
        raw.sendall(b"POST /submit/small HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert b" 413 " in raw.recv(100)


def test_whoever_asks_too_often_is_told_when_there_is_more(join: Any, clock: list[float]) -> None:
    client, other = join("hasty"), join("patient")

    def ask(who: Client) -> httpx2.Response:
        return who.http.get("/submissions/0")

    assert [ask(client).status_code for _ in range(int(AT_ONCE))] == [404] * int(AT_ONCE)
    refused = ask(client)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "1"
    assert ask(other).status_code == 404, "others are served"
    clock[0] += 2 / A_SECOND
    assert [ask(client).status_code for _ in range(3)] == [404, 404, 429]
