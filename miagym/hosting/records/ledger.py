"""Ledger of a hosted game in one SQLite file: what was asked, charged, answered and said.

A transaction charges before anything is computed, so that no crash makes an answer free; what was
charged is named by who asks about whom, so that nothing is charged twice. Several processes may
write to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from threading import RLock, local
from typing import Any, Self

from miagym.errors import HostError, option
from miagym.hosting.records.schema import FORMAT, SCHEMA

IN_MEMORY = ":memory:"
"""SQLite's name of a database that has no file."""
BUSY_SECONDS = 30
"""How long a process waits for another's transaction, which takes milliseconds."""


class Sync(StrEnum):
    """When a transaction is on the disk, as SQLite calls it; no end of the process undoes either.

    Waiting for the disk is most of what a server adds to a request.
    """

    NOW = "FULL"
    """At its end."""
    LATER = "NORMAL"
    """With the next one that waits: where the machine loses its power before, it never was."""


@dataclass(frozen=True)
class Account:
    """Budget of one hand of one walk, which no session and no connection renews."""

    walk: str
    """Player, task, phase, and the number of the walk through the deck."""
    hand: int


@dataclass(frozen=True)
class Charge:
    """Question that is charged once, however often it is put."""

    what: str
    """Candidate, question and number of the answer."""
    price: int
    """In the coin of the task, as all of its spending."""


class Ledger:
    """Ledger in a file, opened by any number of threads and processes.

    Args:
        path: the file; made if there is none.

    Raises:
        HostError: if it is another file, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open, self._turn = local(), RLock()
        try:
            if str(path) != IN_MEMORY and not path.exists():
                # The secret tells deals and noise, and SQLite would let everybody read it.
                path.touch(mode=0o600)
            with self.transaction() as db:
                known = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if (
                    known
                    and not db.execute(
                        "SELECT 1 FROM sqlite_master WHERE name = 'facts'"
                    ).fetchone()
                ):
                    raise HostError(
                        f"{path} is another program's database; name a file of its own."
                    )
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
        except (sqlite3.DatabaseError, OSError) as error:
            raise HostError(
                f"{path} cannot be used as a ledger ({error}); name a file that can be written."
            ) from error
        if self.fact("format", FORMAT) != FORMAT:
            raise HostError(f"{path} is the ledger of another version of miagym; start a new one.")

    @classmethod
    def existing(cls, path: Path) -> Self:
        """Opens a ledger that is there.

        Raises:
            HostError: if it is not, or is another file.
        """
        if not path.is_file():
            raise HostError(
                f"Expected the ledger of a host, and there is no file {path}; name the one that "
                f"the host serves from ({option('db')}), or begin it with `miagym host`."
            )
        return cls(path)

    @property
    def secret(self) -> str:
        """What deals, names and noise are drawn from; made once, and told to nobody."""
        return self.fact("secret", token_hex(32))

    def fact(self, name: str, otherwise: str) -> str:
        """Reads a fact that never changes, or writes it down if it is new."""
        if found := self.read("SELECT value FROM facts WHERE name = ?", (name,)):
            return found[0][0]
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, otherwise))
            return db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()[0]

    def facts(self, begins: str) -> list[str]:
        """Values of the facts whose names begin so, the oldest first."""
        query = "SELECT value FROM facts WHERE substr(name, 1, ?) = ? ORDER BY rowid"
        return [value for (value,) in self.read(query, (len(begins), begins))]

    def spent(self, account: Account) -> int:
        """What was charged to an account so far."""
        found = self._db.execute(
            "SELECT spent FROM accounts WHERE walk = ? AND hand = ?", (account.walk, account.hand)
        ).fetchone()
        return 0 if found is None else found[0]

    def spent_on(self, walks: str) -> int:
        """What was charged in all walks whose names begin so."""
        found = self.read("SELECT sum(spent) FROM accounts WHERE walk GLOB ?", (f"{walks}/*",))
        return found[0][0] or 0

    def charge(self, account: Account, charges: Sequence[Charge], budget: int) -> int:
        """Charges what was not charged before, all or nothing, and returns the new spending.

        Raises:
            HostError: if the budget does not cover it; then nothing was charged.
        """
        with self.transaction() as db:
            new = 0
            for one in charges:
                key = (account.walk, account.hand, one.what)
                known = db.execute(
                    "SELECT rows FROM charges WHERE walk = ? AND hand = ? AND what = ?", key
                ).fetchone()
                if known is None:
                    db.execute("INSERT INTO charges VALUES (?, ?, ?, ?, NULL)", (*key, one.price))
                    new += one.price
            at = (account.walk, account.hand)
            db.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?, 0)", at)
            db.execute(
                "UPDATE accounts SET spent = spent + ? WHERE walk = ? AND hand = ?", (new, *at)
            )
            spent = self.spent(account)
            if spent > budget:
                raise HostError(
                    f"These questions would bring the spending to {spent} of {budget}; nothing "
                    "was charged."
                )
        return spent

    def answer(self, account: Account, what: str) -> bytes | None:
        """The answer that was kept to a question, if there is one."""
        found = self._db.execute(
            "SELECT answer FROM charges WHERE walk = ? AND hand = ? AND what = ?",
            (account.walk, account.hand, what),
        ).fetchone()
        return None if found is None else found[0]

    def keep_all(self, answers: Iterable[tuple[Account, str, bytes]]) -> None:
        """Keeps answers to questions that were charged, each with both; the first one stands."""
        with self.transaction(Sync.LATER) as db:  # it can be computed again
            db.executemany(
                "UPDATE charges SET answer = ? "
                "WHERE walk = ? AND hand = ? AND what = ? AND answer IS NULL",
                [(answer, one.walk, one.hand, what) for one, what, answer in answers],
            )

    def read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows that a query finds; nobody waits for it, and it waits for nobody."""
        return self._db.execute(query, values).fetchall()

    @contextmanager
    def transaction(self, sync: Sync = Sync.NOW) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes beside; undone if anything is raised.

        Threads of this process queue at a lock: SQLite has those who wait sleep and try again,
        ever longer, and whoever comes in between is first.

        Args:
            sync: when it is on the disk; `LATER` only for what the rest of the ledger tells again.
        """
        with self._turn:
            db = self._db
            db.execute(f"PRAGMA synchronous = {sync}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @property
    def _db(self) -> sqlite3.Connection:
        """This thread's connection."""
        if not hasattr(self._open, "db"):
            db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            self._open.db = db
        return self._open.db

    def merge(self) -> None:
        """Has the one file hold everything, without SQLite's log beside it."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Closes this thread's connection."""
        if hasattr(self._open, "db"):
            self._open.db.close()
            del self._open.db

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
