"""Log of what players did, from which a table is built again after any end of the server."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from miagym.errors import HostError
from miagym.hosting.records.ledger import Ledger, Sync


@dataclass(frozen=True)
class Logged:
    """Action as it was logged, and the reply if one was given."""

    walk: str
    number: int
    body: str
    reply: str | None


class WriteConflict(Exception):
    """Raised where another process has logged an action in between."""


class ActionLog:
    """Actions of one walk in the order in which they were played.

    Args:
        ledger: who keeps them.
        player: whose they are.
        walk: player, task, phase and the number of the walk.
    """

    def __init__(self, ledger: Ledger, player: str, walk: str) -> None:
        self._ledger, self._player, self._walk = ledger, player, walk

    def all(self) -> list[Logged]:
        """Every action so far."""
        found = self._ledger.read(
            "SELECT walk, number, body, reply FROM actions WHERE walk = ? ORDER BY number",
            (self._walk,),
        )
        return [Logged(*row) for row in found]

    def count(self) -> int:
        """How many actions there are."""
        query = "SELECT count(*) FROM actions WHERE walk = ?"
        return self._ledger.read(query, (self._walk,))[0][0]

    def begin(self, number: int, request: str, body: str) -> None:
        """Writes an action down before anything comes of it.

        Raises:
            WriteConflict: if an action of this number is there already.
        """
        try:
            with self._ledger.transaction() as db:
                db.execute(
                    "INSERT INTO actions VALUES (?, ?, ?, ?, ?, NULL)",
                    (self._walk, number, self._player, request, body),
                )
        except sqlite3.IntegrityError as error:
            raise WriteConflict from error

    def finish(self, number: int, reply: str) -> None:
        """Keeps the reply to an action, which playing the log again would tell, too."""
        with self._ledger.transaction(Sync.LATER) as db:
            db.execute(
                "UPDATE actions SET reply = ? WHERE walk = ? AND number = ?",
                (reply, self._walk, number),
            )


def replied(ledger: Ledger, player: str, request: str, walk: str, body: str) -> Logged | None:
    """Finds what a request of this name led to, if it came before.

    Raises:
        HostError: if it came with another body, or to another task.
    """
    found = ledger.read(
        "SELECT walk, number, body, reply FROM actions WHERE player = ? AND request = ?",
        (player, request),
    )
    if not found:
        return None
    logged = Logged(*found[0])
    if logged.body != body or logged.walk.rpartition("/")[0] != walk.rpartition("/")[0]:
        raise HostError(
            "This request_id was used for another request before; give each one of its own.", 409
        )
    return logged
