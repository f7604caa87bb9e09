"""The ledger: never overdrawn, never charged twice, never free, whoever dies when."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miagym.errors import HostError
from miagym.hosting.records.keys import add_player, player_of, revoke
from miagym.hosting.records.ledger import Account, Charge, Ledger
from miagym.hosting.records.log import ActionLog

BUDGET = 20
CHARGES = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), min_size=1, max_size=4)), max_size=30
)


def price(what: int) -> int:
    return what % 4 + 1


@given(steps=CHARGES)
@settings(max_examples=60, deadline=None)
def test_it_is_never_overdrawn_and_nothing_is_charged_twice(steps: list) -> None:
    """Against a plain account: sums of what is new, all or nothing."""
    with Ledger(Path(":memory:")) as ledger:
        paid: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
        for hand, whats in steps:
            account = Account("who/task/dev/0", hand)
            new = set(whats) - paid[hand]
            fits = sum(map(price, paid[hand] | new)) <= BUDGET
            charges = [Charge(str(what), price(what)) for what in whats]
            if fits:
                ledger.charge(account, charges, BUDGET)
                paid[hand] |= new
            else:
                with pytest.raises(HostError, match="nothing was charged"):
                    ledger.charge(account, charges, BUDGET)
            assert ledger.spent(account) == sum(map(price, paid[hand])) <= BUDGET
        assert ledger.spent_on("who/task/dev") == sum(
            sum(map(price, all_)) for all_ in paid.values()
        )
        assert ledger.spent_on("who/task") == ledger.spent_on("who/task/dev")
        assert not ledger.spent_on("wh") and not ledger.spent_on("who/other")


WORKER = """
import os, random, sys
from pathlib import Path
from miagym.errors import HostError
from miagym.hosting.records.ledger import Account, Charge, Ledger
from miagym.hosting.records.log import ActionLog
from miagym.hosting.records.log import ActionLog, WriteConflict, replied
path, counted, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
ledger, rng = Ledger(path), random.Random(seed)
parent = os.getppid()
print("open", flush=True)
with open(counted, "a", encoding="utf-8") as count:
    while os.getppid() == parent:  # it does not outlive a test that was cut off
        count.write("step\\n")
        count.flush()
        deal, hand, number = rng.randrange(WALKS), rng.randrange(20), rng.randrange(40)
        what, walk = str(number), f"who/task/dev/{deal}"
        log, account = ActionLog(ledger, "who", walk), Account(walk, hand)
        request = f"{deal}/{hand}/{what}"
        known = replied(ledger, "who", request, walk, what)
        if known is None:
            try:
                log.begin(hand * 40 + number, request, what)
            except WriteConflict:  # the other process was faster
                continue
        elif known.reply is not None:
            continue
        try:
            ledger.charge(account, [Charge(what, number % 4 + 1)], 30)
        except HostError:
            continue
        if rng.random() < 0.5:  # the other half dies, or hangs up, before it is answered
            ledger.keep_all([(account, what, what.encode())])
            log.finish(hand * 40 + number, what)
"""
PRICE = "CAST(what AS INTEGER) % 4 + 1"
FAULTS = {
    "overdrawn": "SELECT * FROM accounts WHERE spent > 30",
    "spent and not charged, or charged and not spent": """
        SELECT * FROM accounts LEFT JOIN
        (SELECT walk, hand, sum(rows) AS charged FROM charges GROUP BY walk, hand)
        USING (walk, hand) WHERE spent != coalesce(charged, 0)""",
    "charged at no account": """
        SELECT * FROM charges LEFT JOIN accounts USING (walk, hand) WHERE spent IS NULL""",
    "another price": f"SELECT * FROM charges WHERE rows != {PRICE}",
    "another answer": "SELECT * FROM charges WHERE answer != CAST(what AS BLOB)",
    "replied, and free": """
        SELECT * FROM actions LEFT JOIN charges ON charges.walk = actions.walk
        AND hand = number / 40 AND what = body WHERE reply IS NOT NULL AND answer IS NULL""",
}
"""What must not be found after any number of deaths, as a query each."""


def steps_in(counted: Path) -> int:
    return counted.stat().st_size // len("step\n") if counted.exists() else 0


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(400, id="few"),
        pytest.param(20_000, id="many", marks=pytest.mark.slow),
        pytest.param(1_000_000, id="a million", marks=[pytest.mark.slow, pytest.mark.long]),
    ],
)
def test_processes_that_are_killed_leave_it_whole(steps: int) -> None:
    """Two at a time ask the same; each is killed at a moment of nobody's choosing."""
    rng, worker = random.Random(0), WORKER.replace("WALKS", str(1 + steps // 1000))
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        path, counted, number = Path(folder, "ledger"), Path(folder, "steps"), 0
        while steps_in(counted) < steps or number < 4:
            both = [
                subprocess.Popen(
                    [sys.executable, "-c", worker, path, counted, str(number + i)],
                    stdout=subprocess.PIPE,
                )
                for i in range(2)
            ]
            for one in both:
                assert one.stdout is not None and one.stdout.readline() == b"open\n"
            time.sleep(rng.uniform(0.05, 0.3) * (1 if steps < 10**6 else 20))
            for one in both:
                os.kill(one.pid, signal.SIGKILL)
                one.wait()
                assert one.stdout is not None
                one.stdout.close()
            number += 2
        with Ledger(path) as ledger:
            found = {fault: ledger.read(query) for fault, query in FAULTS.items()}
            charged, answered = ledger.read("SELECT count(*), count(answer) FROM charges")[0]
            replies = ledger.read("SELECT count(reply) FROM actions")[0][0]
    assert not any(found.values()), found
    assert charged >= answered >= replies > 20


def test_an_answer_stands_once_it_was_given(tmp_path: Path) -> None:
    account = Account("who/task/dev/0", 0)
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.keep_all([(account, "never asked", b"free")])
        assert ledger.answer(account, "never asked") is None
        ledger.charge(account, [Charge("asked", 1)], 1)
        assert ledger.answer(account, "asked") is None
        ledger.keep_all([(account, "asked", b"first")])
        ledger.keep_all([(account, "asked", b"second")])
        assert ledger.answer(account, "asked") == b"first"


def test_only_what_can_be_told_again_waits_for_no_disk(tmp_path: Path) -> None:
    """A charge must outlive a loss of power, an answer need not: it is computed again."""
    statements: list[str] = []
    with Ledger(tmp_path / "host.sqlite") as ledger:
        account, log = Account("who/task/dev/0", 0), ActionLog(ledger, "who", "who/task/dev/0")
        with ledger.transaction() as db:
            db.set_trace_callback(statements.append)
        log.begin(0, "request-1", "{}")
        ledger.charge(account, [Charge("0/0/0", 3)], BUDGET)
        ledger.keep_all([(account, "0/0/0", b"pixels")])
        log.finish(0, "{}")
        ledger.charge(account, [Charge("0/0/1", 3)], BUDGET)
    told = [one.rpartition(" ")[2] for one in statements if one.startswith("PRAGMA synchronous")]
    assert told == ["FULL", "FULL", "NORMAL", "NORMAL", "FULL"]


def test_the_secret_is_made_once_and_differs(tmp_path: Path) -> None:
    with Ledger(tmp_path / "one") as one, Ledger(tmp_path / "other") as other:
        assert one.secret == one.secret != other.secret and len(one.secret) == 64
    with Ledger(tmp_path / "one") as again:
        assert again.fact("secret", "") == again.secret


def test_nobody_else_on_the_machine_reads_a_ledger(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        add_player(ledger, "ada")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600} and "ledger-wal" in modes
    (tmp_path / "ledger").chmod(0o640)
    with Ledger(tmp_path / "ledger"):
        assert (tmp_path / "ledger").stat().st_mode & 0o777 == 0o640, "as its owner has it"


def test_what_is_no_ledger_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no ledger, but a text that is long enough to be a page" * 9)
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE things (a)")
    other.close()
    for name, why in (
        ("text", "cannot be used"),
        ("other", "another program's"),
        ("no/folder", "cannot be used"),
    ):
        with pytest.raises(HostError, match=why):
            Ledger(tmp_path / name)


def test_keys_open_until_they_are_revoked_or_expire(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        key, short = add_player(ledger, "ada"), add_player(ledger, "bob", days=0)
        assert player_of(ledger, key) == "ada"
        assert key.encode() not in (tmp_path / "ledger").read_bytes(), "kept as a digest only"
        with pytest.raises(HostError, match="expired"):
            player_of(ledger, short)
        with pytest.raises(HostError, match="unknown"):
            player_of(ledger, key + "x")
        revoke(ledger, "ada")
        with pytest.raises(HostError, match="was revoked; ask whoever runs"):
            player_of(ledger, key)
        told = ledger.read("SELECT name, revoked FROM keys ORDER BY name")
        assert told == [("ada", True), ("bob", False)]
        for name in ("ada", "blind", "", "A B", "../x", "a*", "a_b", "x" * 33):
            with pytest.raises(HostError):
                add_player(ledger, name)
        with pytest.raises(HostError, match="no player"):
            revoke(ledger, "eve")
