"""Keys of players: told once, kept as digests, refused once they are expired or revoked."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_urlsafe

from miagym.errors import HostError
from miagym.hosting.records.ledger import Ledger

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
BLIND = "blind"
"""Name of the leaderboard's row that looks at pictures and captions, and of no player."""


def add_player(ledger: Ledger, name: str, days: float | None = None) -> str:
    """Adds a player, and returns the key, which nobody can read again.

    Args:
        ledger: of the host.
        name: as it stands on the leaderboard.
        days: until the key expires.

    Raises:
        HostError: if the name is taken, or no name.
    """
    with ledger.transaction() as db:
        return add_players(db, [name], days)[name]


def add_players(db: sqlite3.Connection, names: Sequence[str], days: float | None) -> dict[str, str]:
    """Adds players within a transaction, and returns their keys by name.

    Raises:
        HostError: if a name is taken, or no name.
    """
    keys = {}
    expires = None if days is None else time.time() + days * 86_400
    for name in names:
        if not NAME.fullmatch(name):
            raise HostError(
                f"Expected a player's name of up to 32 letters a to z, digits and -, got {name!r}."
            )
        if name == BLIND:
            raise HostError(f"{name} is a row of the leaderboard; choose another name.")
        if db.execute("SELECT 1 FROM keys WHERE name = ?", (name,)).fetchone():
            raise HostError(f"There is a player {name} already; choose another name.")
        keys[name] = token_urlsafe(24)
        db.execute("INSERT INTO keys VALUES (?, ?, ?, 0)", (name, _digest(keys[name]), expires))
    return keys


def revoke(ledger: Ledger, name: str) -> None:
    """Makes a player's key useless; what was played stays.

    Raises:
        HostError: if there is no such player.
    """
    with ledger.transaction() as db:
        if not db.execute("UPDATE keys SET revoked = 1 WHERE name = ?", (name,)).rowcount:
            raise HostError(f"There is no player {name!r}.")


def player_of(ledger: Ledger, key: str) -> str:
    """Finds whose key this is.

    Raises:
        HostError: if it is unknown, revoked or expired, in a sentence that tells nothing else.
    """
    found = ledger.read("SELECT name, expires, revoked FROM keys WHERE digest = ?", (_digest(key),))
    if not found:
        raise HostError("This key is unknown; ask whoever runs this host for one.", 401)
    name, expires, revoked = found[0]
    if revoked:
        raise HostError("This key was revoked; ask whoever runs this host for another.", 401)
    if expires is not None and expires < time.time():
        raise HostError("This key has expired; ask whoever runs this host for another.", 401)
    return name


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
