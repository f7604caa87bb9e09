"""OpenEnv's protocol in front of a host: hand and budget are the key's, and no connection's."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient, WebSocketTestSession

from miagym.cli.hosting.host import serve
from miagym.errors import HostError
from miagym.hosting import serving as served
from miagym.hosting.host import Host
from miagym.hosting.limits import AT_ONCE, MAX_BYTES, TOGETHER
from miagym.hosting.records.keys import add_player, revoke
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.server import make_app
from miagym.hosting.suite import suite
from miagym.metrics.brier import brier_rewards
from tests.hosting.serving import TASK

ROOT = Path(__file__).parents[3]
BASE = "/openenv/small"
ASK = {"candidate": [0, 1], "question": [0, 0], "probability": [0.5] * 4, "stop": 0}
STOP = {"candidate": [4, 4], "question": [0, 0], "probability": [0.25, 0.5, 0.75, 1], "stop": 1}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    ledger = Ledger(tmp_path_factory.mktemp("openenv") / "host.sqlite")
    with closing(ledger):
        yield Host([TASK], ledger)


@pytest.fixture(scope="module")
def client(host: Host) -> TestClient:
    return TestClient(make_app(host, openenv=True))


Connect = Callable[..., WebSocketTestSession]


@pytest.fixture
def connect(client: TestClient) -> Connect:
    return lambda key: client.websocket_connect(f"{BASE}/ws", headers={"X-API-Key": key})


def said(socket: WebSocketTestSession, kind: str, **data: Any) -> dict[str, Any]:
    socket.send_text(json.dumps({"type": kind, "data": data}))
    return socket.receive_json()


def played(socket: WebSocketTestSession, kind: str, **data: Any) -> dict[str, Any]:
    reply = said(socket, kind, **data)
    assert reply["type"] == "observation", reply
    return reply["data"]


def refused(reply: dict[str, Any], code: str, why: str) -> None:
    assert reply["type"] == "error" and reply["data"]["code"] == code
    assert why in reply["data"]["message"], reply


def test_it_is_what_a_client_expects(client: TestClient) -> None:
    """As `openenv validate --url` asks for it: no reset or step beside the WebSocket."""
    assert client.get(f"{BASE}/health").json() == {"status": "healthy"}
    told = client.get(f"{BASE}/openapi.json").json()
    assert isinstance(told["info"]["version"], str)
    assert not {"/reset", "/step", "/state"} & told["paths"].keys()
    assert {"name", "description"} <= client.get(f"{BASE}/metadata").json().keys()
    assert client.post(f"{BASE}/mcp", json={}).json()["jsonrpc"] == "2.0"
    assert "clipart-overfit" not in client.get(f"{BASE}/schema").text + json.dumps(told)
    assert client.get("/health").json()["status"] == "ok", "the host's own stays what it is"


def test_a_walk_is_played_and_handed_in(host: Host, client: TestClient, connect: Connect) -> None:
    schema = client.get(f"{BASE}/schema").json()
    Draft202012Validator(schema["action"]).validate(ASK)
    with connect(add_player(host.ledger, "ada")) as socket:
        assert said(socket, "state")["data"] == {"episode_id": None, "step_count": 0, "hand": None}
        for hand in range(3):
            begun = played(socket, "reset")
            assert begun["observation"]["hand"] == hand and len(begun["observation"]["names"]) == 4
            assert begun["reward"] is None and not begun["done"]
            seen = played(socket, "step", **ASK)
            for one in (begun, seen):
                Draft202012Validator(schema["observation"]).validate(one["observation"])
            assert seen["observation"]["answered"] == [1, 1]
            state = said(socket, "state")["data"]
            Draft202012Validator(schema["state"]).validate(state)
            assert (state["hand"], state["step_count"]) == (hand, 1)
            ended = played(socket, "step", **STOP)
            assert ended["done"] and ended["reward"] is None
            assert ended["metadata"] == {"truncated": False}
        socket.send_text(json.dumps({"type": "close"}))
        assert socket.receive()["type"] == "websocket.close"
    (mine,) = [one for one in host.desk("small").all() if one.player == "ada"]
    assert sorted(mine.scores.values()) == sorted([0.25, 0.5, 0.75, 1] * 3)
    assert mine.spent == host.ledger.spent_on("ada/small/dev") > 0


def test_a_new_connection_renews_nothing(host: Host, connect: Connect) -> None:
    key = add_player(host.ledger, "bob")
    with connect(key) as socket:
        played(socket, "reset")
        before = played(socket, "step", **ASK)["observation"]["budget_left"]
    spent = host.ledger.spent_on("bob/small/dev")
    with connect(key) as socket:
        assert said(socket, "state")["data"]["step_count"] == 1, "the hand is the key's"
        after = played(socket, "step", **ASK)["observation"]["budget_left"]
        assert after[0] < before[0] and host.ledger.spent_on("bob/small/dev") > spent
    hands = set()
    for _ in range(5):  # two more of this walk, and three of the second and last one
        with connect(key) as socket:
            names = played(socket, "reset")["observation"]["names"]
            played(socket, "step", **ASK)
            hands.add(tuple(names))
    assert len(hands) == 5
    with connect(key) as socket:
        refused(said(socket, "reset"), "EXECUTION_ERROR", "walks")


def test_a_seed_of_the_client_replays_nothing(host: Host, connect: Connect) -> None:
    dealt, answers = [], []
    for player in ("eve", "eva"):
        with connect(add_player(host.ledger, player)) as socket:
            first = played(socket, "reset", seed=7, episode_id="mine")["observation"]
            again = played(socket, "reset", seed=8)["observation"]
            assert first["names"] == again["names"], (
                "nothing was asked, so that it is the same hand"
            )
            dealt.append(first["names"])
            answers.append(played(socket, "step", **ASK)["observation"]["images"])
    assert not {*dealt[0]} & {*dealt[1]} and answers[0] != answers[1]


def test_a_step_that_is_sent_again_is_charged_once(host: Host, connect: Connect) -> None:
    key, named = add_player(host.ledger, "again"), {"metadata": {"request_id": "step-number-1"}}
    with connect(key) as socket:
        played(socket, "reset")
        first = played(socket, "step", **ASK, **named)
        spent = host.ledger.spent_on("again/small/dev")
    with connect(key) as socket:
        assert played(socket, "step", **ASK, **named) == first
    assert host.ledger.spent_on("again/small/dev") == spent


def test_two_connections_on_one_key_are_told_apart(host: Host, connect: Connect) -> None:
    key = add_player(host.ledger, "twice")
    with connect(key) as one, connect(key) as other:
        played(one, "reset")
        played(one, "step", **ASK)
        played(other, "reset")
        spent = host.ledger.spent_on("twice/small/dev")
        refused(said(one, "step", **ASK), "EXECUTION_ERROR", "has begun a hand since")
        assert host.ledger.spent_on("twice/small/dev") == spent


def test_nobody_plays_without_a_key_that_holds(
    host: Host, client: TestClient, connect: Connect
) -> None:
    with client.websocket_connect(f"{BASE}/ws") as socket:
        refused(socket.receive_json(), "SESSION_ERROR", "Expected a key")
        assert socket.receive()["type"] == "websocket.close"
    with connect("guessed") as socket:
        refused(socket.receive_json(), "SESSION_ERROR", "unknown")
    bearer = {"Authorization": f"Bearer {add_player(host.ledger, 'gone')}"}
    with client.websocket_connect(f"{BASE}/ws", headers=bearer) as socket:
        played(socket, "reset")
        revoke(host.ledger, "gone")
        refused(said(socket, "step", **ASK), "EXECUTION_ERROR", "was revoked")


@pytest.mark.parametrize(
    ("raw", "code", "why"),
    [
        ("{", "INVALID_JSON", "Expected a message"),
        ("[]", "VALIDATION_ERROR", "Expected a message"),
        ('{"type": "mcp", "data": {}}', "VALIDATION_ERROR", "Expected a message"),
        ('{"type": "reset", "label": 1}', "VALIDATION_ERROR", "Expected a message"),
        ('{"type": "reset", "data": {"request_id": "a/../b"}}', "VALIDATION_ERROR", "Expected"),
        ('{"type": "step", "data": {}}', "EXECUTION_ERROR", "candidate"),
        (json.dumps({"type": "step", "data": {**ASK, "seed": 1}}), "EXECUTION_ERROR", "seed"),
        ('{"type": "step", "data": {"candidate": NaN}}', "EXECUTION_ERROR", "candidate"),
    ],
)
def test_what_is_no_message_is_a_sentence(
    host: Host, connect: Connect, raw: str, code: str, why: str
) -> None:
    key = add_player(host.ledger, f"p{crc32(raw.encode())}")
    with connect(key) as socket:
        played(socket, "reset")
        socket.send_text(raw)
        refused(socket.receive_json(), code, why)
        played(socket, "step", **ASK)


def test_floods_are_refused(host: Host, client: TestClient, connect: Connect) -> None:
    key = add_player(host.ledger, "flood")
    with connect(key) as socket:
        socket.send_text("x" * (MAX_BYTES + 1))
        refused(socket.receive_json(), "SESSION_ERROR", "Expected a text of up to")
    with connect(key) as socket:
        socket.send_bytes(b"\0")
        refused(socket.receive_json(), "SESSION_ERROR", "Expected a text")
    with ExitStack() as opened:
        for _ in range(TOGETHER):
            socket = opened.enter_context(connect(key))
            assert said(socket, "state")["type"] == "state", "it counts once it has answered"
        with connect(key) as socket:
            refused(said(socket, "state"), "CAPACITY_REACHED", "close one")
    with connect(key) as socket:
        replies = [said(socket, "state") for _ in range(int(AT_ONCE) * 2)]
        refused(replies[-1], "EXECUTION_ERROR", "Too many requests")


def test_a_service_takes_uploads(tmp_path: Path) -> None:
    with Ledger(tmp_path / "host.sqlite") as ledger:
        host = Host([suite("services-2026")[1]], ledger)
        client = TestClient(make_app(host, openenv=True))
        base = "/openenv/image-to-image-24"
        headers = {"X-API-Key": add_player(ledger, "ada")}
        schema = client.get(f"{base}/schema").json()
        with client.websocket_connect(f"{base}/ws", headers=headers) as socket:
            seen = played(socket, "reset")["observation"]
            Draft202012Validator(schema["observation"]).validate(seen)
            call = {"question": 0, "prompt": "a boat", "picture": seen["candidates"][0]}
            call |= {"strength": 0.5, "pictures": 1, "probability": 0.5, "stop": 0}
            Draft202012Validator(schema["action"]).validate(call)
            seen = played(socket, "step", **call)["observation"]
            assert np.sum(seen["answered"]) == 1 and seen["images"][0] is not None


def test_the_manifest_names_what_is_served() -> None:
    told = yaml.safe_load(
        (ROOT / "spaces" / "openenv" / "openenv.yaml").read_text(encoding="utf-8")
    )
    port = inspect.signature(serve).parameters["port"].default
    assert (told["spec_version"], told["name"], told["port"]) == (1, "miagym", port)
    worst, best = brier_rewards(np.array([1.0, 1.0]), np.array([False, True]))
    assert told["validation"]["reward"]["range"] == [worst, best]


def test_a_server_without_websockets_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "find_spec", lambda name: None)
    with pytest.raises(HostError, match=r"miagym\[openenv\]"):
        served.serve_forever((TASK,), Path("none"), "dev", "::1", 1, lambda: None, openenv=True)
    assert not Path("none").exists()
