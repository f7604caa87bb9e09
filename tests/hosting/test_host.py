"""A host that is cut off, begun again, or doubled: nothing lost, nothing doubled, nothing free."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from miagym.envs.asking import Questioner
from miagym.errors import ActionError, HostError, TooManyRequests, UnknownName
from miagym.hosting import host as hosting
from miagym.hosting.board import board
from miagym.hosting.dealing.deal import Deal
from miagym.hosting.dealing.deck import deck
from miagym.hosting.host import Host
from miagym.hosting.limits import TOGETHER
from miagym.hosting.messages import Query, Question, Reset, Step
from miagym.hosting.records.keys import add_player
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.records.tasks import find_task, keep_task
from miagym.hosting.suite import FINAL, SUITES, own_task
from miagym.hosting.table import MAX_SHOWN
from tests.command_line import run
from tests.hosting.serving import TASK

HOLD = {"candidate": [4, 4], "question": [0, 0], "probability": [0.5] * 4, "stop": 0}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "host.sqlite") as ledger:
        yield ledger


def step(number: int, **action: Any) -> Step:
    return Step(request_id=f"request-{number}", action=HOLD | action)


def begin(number: int = 0) -> Reset:
    return Reset(request_id=f"request-{number}")


def ask(host: Host, player: str, number: int, *whom: int) -> dict[str, Any]:
    names = [one["candidate"] for one in host.table(player, "small").candidates]
    asked = [Question(candidate=names[i], question="variation@0.3") for i in whom]
    return host.play(player, "small", Query(request_id=f"request-{number}", questions=asked))


def test_a_crash_between_charge_and_answer_is_made_good(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host([TASK], ledger)
    host.play("ada", "small", begin())
    with monkeypatch.context() as patch:
        patch.setattr(Questioner, "answers", lambda *_: sys.exit("the power went"))
        with pytest.raises(SystemExit):
            host.play("ada", "small", step(1, candidate=[0, 1]))
    assert ledger.spent_on("ada/small/dev") == 6, "charged before anything is computed"
    again = Host([TASK], ledger)
    found = again.play("ada", "small", step(1, candidate=[0, 1]))
    assert found["observation"]["answered"] == [1, 1]
    assert ledger.spent_on("ada/small/dev") == 6, "and not for a second time"
    whole = Host([TASK], Ledger(ledger.path)).play("ada", "small", step(1, candidate=[0, 1]))
    assert whole == found


def test_a_host_that_begins_again_goes_on_as_if_nothing_had_been(ledger: Ledger) -> None:
    """Whatever comes after is equal to what a host gives that was never ended."""
    moves = [step(1, candidate=[0, 1]), step(2, candidate=[2, 2]), step(3, stop=1), begin(4),
             step(5, candidate=[3, 0])]  # fmt: skip
    host, seen = Host([TASK], ledger), {}
    host.play("ada", "small", begin())
    for move in moves:
        host = Host([TASK], ledger)
        seen[move.request_id] = host.play("ada", "small", move)
    steady = Host([TASK], ledger)
    shown = [steady.play("ada", "small", move) for move in moves]
    assert shown == list(seen.values())
    assert steady.table("ada", "small").current == 1


def test_players_take_turns_where_memory_holds_one_table(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "KEPT_BYTES", 1)
    host, players = Host([TASK], ledger), ("ada", "bob")
    for number, move in enumerate([begin(), step(1, candidate=[0, 1]), step(2, candidate=[0, 4])]):
        for player in players:
            reply = host.play(player, "small", move)
            assert sum(map(sum, reply["observation"]["count"])) == [0, 2, 3][number]
            assert len(host._places) == 1
    monkeypatch.setattr(hosting, "KEPT_BYTES", 2 * host.decks["small"].table_bytes)
    for player in players:
        host.table(player, "small")
    assert len(host._places) == 2


def test_two_hosts_on_one_ledger_play_one_game(ledger: Ledger) -> None:
    one, other = Host([TASK], ledger), Host([TASK], Ledger(ledger.path))
    one.play("ada", "small", begin())
    first = one.play("ada", "small", step(1, candidate=[0, 4]))
    second = other.play("ada", "small", step(2, candidate=[0, 4]))
    third = one.play("ada", "small", step(3, candidate=[0, 4]))
    counts = [np.sum(each["observation"]["count"]) for each in (first, second, third)]
    assert counts == [1, 2, 3] and ledger.spent_on("ada/small/dev") == 9
    assert other.play("ada", "small", step(1, candidate=[0, 4])) == first


def test_what_is_refused_costs_no_table(ledger: Ledger) -> None:
    """Else each request that is none would have a whole walk played once more."""
    one, other = Host([TASK], ledger), Host([TASK], Ledger(ledger.path))
    before = one.table("ada", "small")
    for wrong in (step(1), step(1, candidate=[9, 9])):
        with pytest.raises(HostError, match="No hand is being played"):
            one.play("ada", "small", wrong)
    assert one.table("ada", "small") is before
    other.play("ada", "small", begin())
    with pytest.raises(ActionError, match="from 0 to 4"):
        one.play("ada", "small", step(1, candidate=[9, 9]))
    assert one.table("ada", "small") is not before, "what another process has played is seen"
    assert one.play("ada", "small", step(1))["observation"]["budget_left"] == [9]


def test_a_key_that_sends_many_at_once_leaves_threads_for_others(ledger: Ledger) -> None:
    host = Host([TASK], ledger)
    host.play("ada", "small", begin(100))
    with ThreadPoolExecutor(TOGETHER + 1) as pool:
        with host.table("ada", "small").lock:
            many = [pool.submit(host.play, "ada", "small", step(i)) for i in range(TOGETHER + 1)]
            done, waiting = wait(many, timeout=30, return_when="FIRST_COMPLETED")
            (refused,) = done
            with pytest.raises(TooManyRequests, match="8 requests with this key"):
                refused.result()
            host.play("bob", "small", begin())
        assert all(one.result()["observation"]["budget_left"] == [9] for one in waiting)
    again = step(many.index(refused))
    assert host.play("ada", "small", again)["observation"]["budget_left"] == [9]


def test_a_hand_that_is_shown_again_and_again_fills_no_disk(ledger: Ledger) -> None:
    """Twenty a second is what a key may, and each would be a hand's pictures in the ledger."""
    host = Host([TASK], ledger)
    shown = [host.play("ada", "small", begin(number)) for number in range(MAX_SHOWN)]
    ((kept,),) = ledger.read("SELECT max(length(reply)) FROM actions")
    assert kept < 1000 < len(json.dumps(shown[0]))
    with pytest.raises(HostError, match="was shown 100 times"):
        host.play("ada", "small", begin(MAX_SHOWN))
    assert host.play("ada", "small", begin(1)) == shown[1], "sent again, it is no other one"
    again = Host([TASK], ledger)
    with pytest.raises(HostError, match="was shown 100 times"):
        again.play("ada", "small", begin(MAX_SHOWN))
    again.play("ada", "small", step(200))
    assert again.play("ada", "small", begin(201))["hand"] == 1
    assert again.play("ada", "small", begin(202))["hand"] == 1
    for hand in (1, 2):
        again.play("ada", "small", begin(203 + hand))
        again.play("ada", "small", step(206 + hand, stop=1))
    assert again.play("ada", "small", begin(210))["begun"] == "1/0"
    assert again.play("ada", "small", begin(1)) == shown[1], "though another walk is played"


def test_questions_and_play_draw_on_one_budget(ledger: Ledger) -> None:
    host = Host([TASK], ledger)
    host.play("ada", "small", begin())
    ask(host, "ada", 1, 0, 1)
    seen = host.play("ada", "small", step(2, candidate=[2, 3]))["observation"]
    assert seen["answered"] == [1, 0] and seen["budget_left"] == [0]
    assert np.sum(seen["count"]) == 3, "what was asked beside is seen"


def test_what_is_asked_beyond_the_last_step_is_not_answered(ledger: Ledger) -> None:
    """A hand that ends halfway through a query shows no answer twice, under another's name."""
    host = Host([TASK], ledger)
    host.play("ada", "small", begin())
    limit = host.table("ada", "small").seats[0].game.settings.step_limit
    for number in range(1, limit):
        host.play("ada", "small", step(number))
    reply = ask(host, "ada", limit, 0, 1, 2, 3)
    assert [one["answered"] for one in reply["answers"]] == [True, True, False, False]
    assert [one["picture"] is None for one in reply["answers"]] == [False, False, True, True]
    assert ledger.spent_on("ada/small/dev") == 6


def test_a_walk_that_ends_is_a_submission(ledger: Ledger) -> None:
    host = Host([TASK], ledger)
    for hand in range(3):
        host.play("ada", "small", begin(10 * hand))
        if hand < 2:
            host.play("ada", "small", step(10 * hand + 1, stop=1, probability=[0.9, 0.1, 0.2, 0.3]))
    assert not host.desk("small").all()
    host.play("ada", "small", step(22, candidate=[0, 4], probability=[0.6] * 4))
    host.play("ada", "small", begin(30))  # gives up the last hand, which has no next one
    (found,) = host.desk("small").all()
    assert (
        sorted(found.scores.values()) == [0.1] * 2 + [0.2] * 2 + [0.3] * 2 + [0.6] * 4 + [0.9] * 2
    )
    assert found.spent == 3
    Host([TASK], ledger).table("ada", "small")
    assert len(host.desk("small").all()) == 1, "once, however often it is built again"


def test_the_phases_share_no_candidate_and_no_look_alike(ledger: Ledger) -> None:
    data = load_data("clipart-tune")
    for task in [one for one in SUITES["black-2026"] if not one.population]:
        parts = [deck(data, task, phase, ledger.secret) for phase in ("dev", "final")]
        rows = [np.flatnonzero(part.part == TEST) for part in parts]
        assert all(len(each) == task.hands * task.candidates for each in rows)
        assert all(data.member[each].mean() == 0.5 for each in rows)
        assert (data.part[np.concatenate(rows)] == TEST).all()
        assert data.groups is not None
        assert not set(data.groups[rows[0]]) & set(data.groups[rows[1]])
    final = Host([TASK], ledger, FINAL)
    shown = {one["picture"] for one in final.table("ada", "small").candidates}
    dev = Host([TASK], ledger).table("ada", "small").candidates
    assert not shown & {one["picture"] for one in dev}


def test_hands_are_a_deck_and_targets_come_evenly(ledger: Ledger) -> None:
    mixed = next(task for task in SUITES["black-2026"] if len(task.targets) == 3)
    deal = Deal.of(mixed, "dev", ledger.secret)
    order = [deal.hands(f"{who}/{mixed.name}/dev/0") for who in ("ada", "bob")]
    for dealt in order:
        places = np.concatenate([hand.places for hand in dealt])
        assert sorted(places) == list(range(mixed.hands * mixed.candidates))
    assert any((a.places != b.places).any() for a, b in zip(*order, strict=True))
    about, again = ([hand.target for hand in deal.hands(f"ada/mixed-60/dev/{n}")] for n in (0, 1))
    assert {about.count(target) for target in mixed.targets} == {5, 6}
    assert about != again


def test_hands_about_several_targets_are_played(ledger: Ledger) -> None:
    both = dataclasses.replace(TASK, targets=("clipart-overfit", "clipart-overfit@40"))
    host = Host([both], ledger)
    names = {seat.game.settings.target for seat in host.table("ada", "small").seats}
    assert names == set(both.targets)
    for hand in range(3):
        host.play("ada", "small", begin(10 * hand))
        found = host.play("ada", "small", step(10 * hand + 1, candidate=[0, 1], stop=0))
        assert found["observation"]["answered"] == [1, 1]
        host.play("ada", "small", step(10 * hand + 2, stop=1))


def test_a_model_that_is_another_one_than_before_is_refused(ledger: Ledger) -> None:
    ledger.fact("fingerprint of clipart-overfit", "of last week")
    with pytest.raises(HostError, match="bring that one back, or start a new ledger"):
        Host([TASK], ledger)


def test_rules_or_data_that_are_others_than_before_are_refused(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Players who began under the old ones would be ranked beside those of the new."""
    Host([TASK], ledger)
    Host([dataclasses.replace(TASK, about="Said better.")], ledger)
    with pytest.raises(HostError, match=r"they differ in budget and calls_a_minute\).*start a new"):
        Host([dataclasses.replace(TASK, budget=999, calls_a_minute=5)], ledger)
    Host([TASK], ledger)  # what was refused has changed nothing
    whole = load_data(TASK.data)
    swapped = dataclasses.replace(whole, member=~whole.member)
    monkeypatch.setattr("miagym.hosting.dealing.deal.load_data", lambda name: swapped)
    with pytest.raises(HostError, match="they differ in what the data hold"):
        Host([TASK], ledger)


def test_a_task_is_found_as_it_was_served(ledger: Ledger) -> None:
    shop = next(one for one in SUITES["services-2026"] if one.name == "shop-40")
    own = dataclasses.replace(shop, name="mine", targets=("a", "b"), walks=(2, 1))
    keep_task(ledger, own, "digest")
    assert find_task(ledger, "mine", [TASK]) == own
    assert find_task(ledger, TASK.name, [TASK]) == TASK
    with pytest.raises(UnknownName, match="'other'; known: mine, small"):
        find_task(ledger, "other", [TASK])


def test_tasks_that_cannot_be_are_a_sentence(ledger: Ledger) -> None:
    with pytest.raises(HostError, match="pictures only; loss@60 asks for more"):
        own_task(["clipart-overfit"], "clipart-tune", None, ["loss@60"], 60, 2)
    with pytest.raises(HostError, match=r"data=\.\.\. beside target=\.\.\."):
        own_task(["clipart-overfit"], None, None, ["text-to-image"], 60, 2)
    with pytest.raises(HostError, match="need 800 members"):
        Host([dataclasses.replace(TASK, hands=400)], ledger)
    with pytest.raises(HostError, match="a phase dev or final"):
        Host([TASK], ledger, "exam")


KILLED = """
import sys
from pathlib import Path
from miagym.hosting.serving import serve_forever
from tests.hosting.serving import TASK
serve_forever([TASK], Path(sys.argv[1]), "dev", "127.0.0.1", int(sys.argv[2]), print)
"""


def test_an_address_that_is_taken_is_one_sentence_before_anything_is_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run("host", "--port", port, "--db", tmp_path / "host.sqlite", code=2)
    said = capsys.readouterr()
    assert not said.out and not list(tmp_path.iterdir())
    assert f"at 127.0.0.1:{port} (" in said.err and "choose another --port" in said.err


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(path: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", KILLED, path, str(port)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=root)


@pytest.mark.slow
def test_a_server_that_is_told_to_stop_leaves_everything_in_one_file(tmp_path: Path) -> None:
    """As `kill`, Docker and systemd stop it; who keeps a copy of the file keeps the game."""
    path, port = tmp_path / "host.sqlite", free_port()
    with Ledger(path) as ledger:
        key = add_player(ledger, "ada")
    server, until = start(path, port), time.monotonic() + 120
    try:
        with httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}, timeout=60
        ) as client:
            while True:
                try:
                    client.get("/health")
                    break
                except httpx2.TransportError:
                    assert server.poll() is None and time.monotonic() < until
                    time.sleep(0.05)
            names = [one["candidate"] for one in client.get("/tasks/small/candidates").json()]
            asked = Question(candidate=names[0], question="variation@0.3")
            message = Query(request_id="request-0", questions=[asked]).model_dump()
            client.post("/tasks/small/query", json=message).raise_for_status()
            lines = "\n".join(["ids,score", *(f"{name},{i}" for i, name in enumerate(names))])
            client.post("/submit/small", content=lines).raise_for_status()
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    finally:
        server.kill()
        server.wait()
    copy = tmp_path / "copy.sqlite"
    shutil.copyfile(path, copy)
    with Ledger(copy) as ledger:
        (ada,) = (one for one in board(Host([TASK], ledger), "small") if one.player == "ada")
        assert ada.spent > 0 and ledger.spent_on("ada/small/dev") == ada.spent


@pytest.mark.long
@pytest.mark.slow
def test_a_server_that_is_killed_again_and_again_loses_and_doubles_nothing(ledger: Ledger) -> None:
    """A client that sends each request until it is answered, and a server shot at odd moments."""
    key, rng = add_player(ledger, "ada"), np.random.default_rng(0)
    port = free_port()
    server, kills, replies = start(ledger.path, port), 0, {}
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key})
    moves = [begin()] + [step(i, candidate=[i % 4, (i + 1) % 4]) for i in range(1, 8)]
    until = time.monotonic() + 4
    try:
        for move in moves:
            path = "reset" if isinstance(move, Reset) else "step"
            while move.request_id not in replies:
                if kills < 6 and time.monotonic() > until:
                    os.kill(server.pid, signal.SIGKILL)
                    server.wait()
                    server, kills = start(ledger.path, port), kills + 1
                    until = time.monotonic() + rng.uniform(3, 6)
                try:
                    reply = client.post(f"/tasks/small/{path}", json=move.model_dump(), timeout=5)
                    if reply.status_code == 200:
                        replies[move.request_id] = reply.json()
                except httpx2.TransportError:
                    time.sleep(0.05)
            time.sleep(rng.uniform(0, 2))
    finally:
        client.close()
        server.kill()
        server.wait()
    assert kills >= 2
    assert ledger.spent_on("ada/small/dev") == 9
    steady = Host([TASK], ledger)
    for move in moves:
        assert steady.play("ada", "small", move) == replies[move.request_id]
