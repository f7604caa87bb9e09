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

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miagym.errors import HostError
from miagym.hosting.records.keys import add_player, player_of, players, revoke
from miagym.hosting.records.ledger import Account, Charge, Ledger

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
path, seed = Path(sys.argv[1]), int(sys.argv[2])
ledger, rng = Ledger(path), random.Random(seed)
parent = os.getppid()
print("open", flush=True)
while os.getppid() == parent:  # it does not outlive a test that was cut off
    hand, what = rng.randrange(20), str(rng.randrange(40))
    account = Account("who/task/dev/0", hand)
    try:
        ledger.charge(account, [Charge(what, int(what) % 4 + 1)], 30)
    except HostError:
        continue
    if rng.random() < 0.5:  # the other half dies, or hangs up, before it is answered
        ledger.keep(account, what, what.encode())
"""


@pytest.mark.parametrize(
    "rounds", [pytest.param(2, id="few"), pytest.param(40, id="many", marks=pytest.mark.slow)]
)
def test_processes_that_are_killed_leave_it_whole(rounds: int, tmp_path: Path) -> None:
    """Two at a time charge the same accounts; each is killed at a moment of nobody's choosing."""
    path, rng = tmp_path / "ledger.sqlite", random.Random(0)
    for number in range(rounds):
        both = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, path, str(2 * number + i)], stdout=subprocess.PIPE
            )
            for i in range(2)
        ]
        for one in both:
            assert one.stdout is not None and one.stdout.readline() == b"open\n"
        time.sleep(rng.uniform(0.05, 0.3))
        for one in both:
            os.kill(one.pid, signal.SIGKILL)
            one.wait()
            assert one.stdout is not None
            one.stdout.close()
    with Ledger(path) as ledger:
        charged = ledger.read("SELECT hand, what, rows, answer FROM charges")
        assert len(charged) > 50
        assert all(rows == int(what) % 4 + 1 for _, what, rows, _ in charged)
        assert all(answer in (None, what.encode()) for _, what, _, answer in charged)
        for hand in range(20):
            spent = ledger.spent(Account("who/task/dev/0", hand))
            assert spent == sum(rows for at, _, rows, _ in charged if at == hand) <= 30


def test_an_answer_stands_once_it_was_given(tmp_path: Path) -> None:
    account = Account("who/task/dev/0", 0)
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.keep(account, "never asked", b"free")
        assert ledger.answer(account, "never asked") is None
        ledger.charge(account, [Charge("asked", 1)], 1)
        assert ledger.answer(account, "asked") is None
        ledger.keep(account, "asked", b"first")
        ledger.keep(account, "asked", b"second")
        assert ledger.answer(account, "asked") == b"first"


def test_the_secret_is_made_once_and_differs(tmp_path: Path) -> None:
    with Ledger(tmp_path / "one") as one, Ledger(tmp_path / "other") as other:
        assert one.secret == one.secret != other.secret and len(one.secret) == 64
    with Ledger(tmp_path / "one") as again:
        assert again.fact("secret", "") == again.secret


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
        with pytest.raises(HostError, match="expired"):
            player_of(ledger, key)
        assert [(one.name, one.is_revoked) for one in players(ledger)] == [
            ("ada", True),
            ("bob", False),
        ]
        for name in ("ada", "", "A B", "../x", "a*", "a_b", "x" * 33):
            with pytest.raises(HostError):
                add_player(ledger, name)
        with pytest.raises(HostError, match="no player"):
            revoke(ledger, "eve")
