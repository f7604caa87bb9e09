"""Submissions: one score for every candidate of a task, from a file or from play."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from miagym.errors import HostError
from miagym.hosting.records.ledger import Ledger

PLAY, FILE = "play", "file"
DAY = 86_400
INSERT = (
    "INSERT OR IGNORE INTO submissions (player, task, phase, kind, walk, spent, at, scores) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class Submission:
    """Scores of one player for all candidates of a task in a phase."""

    number: int
    player: str
    kind: str
    """"file", or "play" for the verdicts of a walk."""
    spent: int
    """In all walks up to then, in the task's coin."""
    at: float
    """Seconds since 1970."""
    scores: Mapping[str, float]
    """By key of the candidate, higher = member."""


@dataclass(frozen=True)
class Receipt:
    """What a player is told of a submission."""

    number: int
    kind: str
    """As of the submission."""
    at: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Desk:
    """Where submissions to one task in one phase are handed in, and kept.

    Args:
        ledger: who keeps them.
        task: its name.
        phase: "dev" or "final".
    """

    ledger: Ledger
    task: str
    phase: str

    def take_file(self, player: str, scores: Mapping[str, float], spent: int, a_day: int) -> int:
        """Keeps the scores of a file, and returns the submission's number.

        Raises:
            HostError: if it is the one too many of the last 24 hours; nothing was kept.
        """
        now = time.time()
        with self.ledger.transaction() as db:
            recent, first = db.execute(
                "SELECT count(*), min(at) FROM submissions WHERE player = ? AND task = ? "
                "AND phase = ? AND kind = ? AND at > ?",
                (player, self.task, self.phase, FILE, now - DAY),
            ).fetchone()
            if recent >= a_day:
                hours = math.ceil((first + DAY - now) / 3600)
                raise HostError(
                    f"{a_day} files a day are taken in this phase; the next one in {hours} hours.",
                    429,
                )
            row = (player, self.task, self.phase, FILE, None, spent, now, json.dumps(dict(scores)))
            made = db.execute(INSERT, row)
            assert made.lastrowid is not None
            return made.lastrowid

    def take_play(self, player: str, walk: str, scores: Mapping[str, float], spent: int) -> None:
        """Keeps the verdicts of a walk that is over; once, however often it is told."""
        row = (player, self.task, self.phase, PLAY, walk, spent, time.time())
        with self.ledger.transaction() as db:
            db.execute(INSERT, (*row, json.dumps(dict(scores))))

    def all(self) -> list[Submission]:
        """All submissions, the first one first."""
        found = self.ledger.read(
            "SELECT id, player, kind, spent, at, scores FROM submissions "
            "WHERE task = ? AND phase = ? ORDER BY id",
            (self.task, self.phase),
        )
        return [
            Submission(number, player, kind, spent, at, json.loads(scores))
            for number, player, kind, spent, at, scores in found
        ]

    def receipts(self, player: str) -> list[Receipt]:
        """What a player has handed in, the first one first; no scores are read for it."""
        found = self.ledger.read(
            "SELECT id, kind, at FROM submissions WHERE player = ? AND task = ? AND phase = ? "
            "ORDER BY id",
            (player, self.task, self.phase),
        )
        return [Receipt(*row) for row in found]

    def newest(self) -> int:
        """Number of the newest submission; 0 if there is none."""
        found = self.ledger.read(
            "SELECT max(id) FROM submissions WHERE task = ? AND phase = ?", (self.task, self.phase)
        )
        return found[0][0] or 0

    def last(self) -> list[Submission]:
        """Of each player the last one, which counts."""
        return list({one.player: one for one in self.all()}.values())
