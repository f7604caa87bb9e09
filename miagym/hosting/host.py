"""Host: tasks, players' tables and submissions, whichever face they are asked through."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from miagym.envs.service.rate_limit import Bucket, a_minute
from miagym.errors import HostError, MiagymError, TooManyRequests
from miagym.hosting.dealing.phase import deal_phase
from miagym.hosting.limits import TOGETHER, Together
from miagym.hosting.messages import Played, Reset, body_of, is_asking
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.records.log import WriteConflict, replied
from miagym.hosting.records.score_lines import read_scores
from miagym.hosting.records.submissions import Desk
from miagym.hosting.records.tasks import keep_task
from miagym.hosting.seats import Deck
from miagym.hosting.suite import DEV, HostedTask
from miagym.hosting.table import GameTable

KEPT_BYTES = 2**30
"""Of tables in memory; others are built from the ledger when they are asked for again."""
CONFLICTS = 5
"""How often an action is tried anew because another process was faster."""
BUSY = f"{TOGETHER} requests with this key are being played; nothing was charged."
WHERE = (
    "the ids of a task are under GET /tasks/{task}/candidates, and differ from player to player "
    "and walk to walk"
)


@dataclass(eq=False)
class TablePlace:
    """Where a table stands, or will: built by one thread, while those at others play on."""

    table: GameTable | None = None
    lock: Any = field(default_factory=Lock)


class Host:
    """Hosted game.

    Args:
        tasks: what is played.
        ledger: who keeps it.
        phase: "dev" or "final".

    Raises:
        HostError: if a model, the rules of a task or its data are not those that the ledger began
            with, or data are too few.
    """

    def __init__(self, tasks: Sequence[HostedTask], ledger: Ledger, phase: str = DEV) -> None:
        self.tasks = {task.name: task for task in tasks}
        self.ledger, self.phase = ledger, phase
        self.rates: dict[str, Bucket] = {
            task.name: a_minute(task.calls_a_minute) for task in tasks if task.calls_a_minute
        }
        self.decks: dict[str, Deck] = {}
        for task in tasks:
            deal = deal_phase(task, phase, ledger.secret)
            keep_task(ledger, task, deal.digest)
            self.decks[task.name] = Deck.of(deal)
            for target, world in self.decks[task.name].worlds.items():
                self._check_model(target, world.target.fingerprint)
        self._places: OrderedDict[str, TablePlace] = OrderedDict()
        self._lock, self._together = Lock(), Together(BUSY)

    def task(self, name: str) -> HostedTask:
        """Finds a task.

        Raises:
            HostError: if there is none of this name.
        """
        if name not in self.tasks:
            raise HostError(f"There is no such task; there are {', '.join(self.tasks)}.", 404)
        return self.tasks[name]

    def play(self, player: str, name: str, message: Played) -> dict[str, Any]:
        """Plays one request; the same one again gets the same reply, and costs nothing.

        Raises:
            HostError, ActionError: if it cannot be; nothing was charged.
            TooManyRequests: if the key asks more often than the task allows, or for too much at
                the same time; the same.
        """
        with self._together.one_more(player):
            return self._play(player, name, message)

    def _play(self, player: str, name: str, message: Played) -> dict[str, Any]:
        task, body = self.task(name), body_of(message)
        for attempt in range(CONFLICTS):
            walk = self._walk(player, name)
            table = self._table(task, walk)
            with table.lock:
                known = replied(self.ledger, player, message.request_id, walk, body)
                if known is not None and known.reply is not None:
                    return self._table(task, known.walk).whole(json.loads(known.reply))
                if known is not None:  # it was cut off; a table that is built anew ends it
                    self._forget(table)
                    continue
                if not attempt:
                    self._check_rate(player, task, message)
                if table.is_over and isinstance(message, Reset):
                    table = self._table(task, self._next_walk(task, walk))
                try:
                    table.check(body)
                except MiagymError:
                    if not table.is_behind:
                        raise  # and nothing has changed, so that the table stays
                    self._forget(table)
                    continue
                try:
                    reply = table.play(message.request_id, body)
                except WriteConflict:
                    self._forget(table)
                    continue
                except BaseException:
                    self._forget(table)
                    raise
                self._hand_in(table, player, task)
                return reply
        raise HostError("Another process plays with this key at the same time; try again.", 409)

    def table(self, player: str, name: str) -> GameTable:
        """The table at which a player walks now.

        Raises:
            HostError: if there is no such task.
        """
        return self._table(self.task(name), self._walk(player, name))

    def submit(self, player: str, name: str, text: str) -> int:
        """Takes a file of scores, and returns the submission's number.

        Raises:
            HostError: if it is not as it should be, or the one too many; nothing was kept.
        """
        task, table = self.task(name), self.table(player, name)
        keys = table.keys()
        scores = read_scores(text, set(keys), WHERE)
        by_key = {keys[candidate]: score for candidate, score in scores.items()}
        a_day = task.in_phase(self.phase, task.submissions_a_day)
        return self.desk(name).take_file(player, by_key, self._spent(player, name), a_day)

    def desk(self, name: str) -> Desk:
        """Where submissions to a task are kept."""
        return Desk(self.ledger, self.task(name).name, self.phase)

    def deck(self, name: str) -> Deck:
        """Candidates of a task with labels, for the board only, and its models."""
        return self.decks[self.task(name).name]

    def _check_rate(self, player: str, task: HostedTask, message: Played) -> None:
        if task.name in self.rates and is_asking(message):
            wait = self.rates[task.name].take(player)
            if wait:
                raise TooManyRequests(
                    f"This task takes {task.calls_a_minute} calls a minute; call again in "
                    f"{math.ceil(wait)} seconds. Nothing was charged.",
                    wait,
                )

    def _hand_in(self, table: GameTable, player: str, task: HostedTask) -> None:
        if table.is_over:
            spent = self._spent(player, task.name)
            self.desk(task.name).take_play(player, table.walk, table.verdicts(), spent)

    def _spent(self, player: str, name: str) -> int:
        return self.ledger.spent_on(f"{player}/{name}/{self.phase}")

    def _walk(self, player: str, name: str) -> str:
        begun = f"{player}/{self.task(name).name}/{self.phase}"
        found = self.ledger.read(
            "SELECT max(CAST(substr(walk, ?) AS INTEGER)) FROM actions WHERE walk GLOB ?",
            (len(begun) + 2, f"{begun}/*"),
        )
        return f"{begun}/{found[0][0] or 0}"

    def _next_walk(self, task: HostedTask, walk: str) -> str:
        begun, _, number = walk.rpartition("/")
        walks = task.in_phase(self.phase, task.walks)
        if int(number) + 1 >= walks:
            raise HostError(
                f"All {walks} walks through the deck of this phase are over; no reset renews them.",
                409,
            )
        return f"{begun}/{int(number) + 1}"

    def _table(self, task: HostedTask, walk: str) -> GameTable:
        with self._lock:
            place = self._places.setdefault(walk, TablePlace())
            self._places.move_to_end(walk)
            while len(self._places) > 1 and self._kept_bytes() > KEPT_BYTES:
                self._places.popitem(last=False)
        with place.lock:
            if place.table is None:
                place.table = GameTable(self.decks[task.name], walk, self.ledger)
                self._hand_in(place.table, walk.partition("/")[0], task)
            return place.table

    def _kept_bytes(self) -> int:
        """Of the tables in memory, whose pictures are nearly all of them."""
        names = (walk.split("/")[1] for walk in self._places)
        return sum(self.decks[name].table_bytes for name in names)

    def _forget(self, table: GameTable) -> None:
        with self._lock:
            self._places.pop(table.walk, None)

    def _check_model(self, target: str, found: str) -> None:
        if self.ledger.fact(f"fingerprint of {target}", found) != found:
            raise HostError(
                f"{target} is not the model that {self.ledger.path} began with, and its answers "
                "would not fit those given; bring that one back, or start a new ledger."
            )
