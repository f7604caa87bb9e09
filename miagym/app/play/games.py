"""Games under way, kept on the server: few of each visitor, and few in all."""

from __future__ import annotations

import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from hmac import compare_digest
from threading import Lock
from typing import TYPE_CHECKING

from miagym.errors import ActionError

if TYPE_CHECKING:
    from miagym.app.play.game import HumanGame
    from miagym.app.play.opponents import Opponents
    from miagym.app.play.reference_scores import ReferenceScores

MAX_GAMES_OF_ONE = 32
"""Games of one visitor: an address may be a class."""
SESSION_SECONDS = 3600
"""Seconds that a game is kept after its last move."""
MAX_GAMES = 128
"""Games of all, each up to 5 MB once the opponents play."""


@dataclass(frozen=True, eq=False)
class GameSession:
    """A visitor's game, the agents beside, and the known pictures. It stays on the server."""

    game: HumanGame
    opponents: Opponents
    known: ReferenceScores


@dataclass(frozen=True, eq=False)
class Seat:
    """A session, whose it is, when it was last touched, and the key that opens it elsewhere."""

    client: str
    session: GameSession
    touched: float
    key: str


class Games:
    """Sessions by the open page; those touched longest ago make room.

    Args:
        of_one: games of one visitor; its own oldest makes room.
        of_all: games of all; the oldest of whoever has most makes room.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        of_one: int = MAX_GAMES_OF_ONE,
        of_all: int = MAX_GAMES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of_one, self._of_all, self._clock = of_one, of_all, clock
        self._seats: OrderedDict[str, Seat] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._seats)

    def add(self, client: str, page: str | None, session: GameSession) -> str:
        """Keeps a game that has begun, in the place of the page's last one.

        Args:
            client: who plays.
            page: Gradio's random name of the open page, which nobody else knows.
            session: the game.

        Returns:
            The key by which the browser finds it again after a refresh.
        """
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._clear_away()
            self._seats.pop(page or "", None)
            self._seats[page or ""] = Seat(client, session, self._clock(), key)
            count = Counter(seat.client for seat in self._seats.values())
            if count[client] > self._of_one:
                self._drop_oldest_of(client)
            elif len(self._seats) > self._of_all:
                self._drop_oldest_of(count.most_common(1)[0][0])
        return key

    def resume(self, key: str, page: str | None) -> GameSession | None:
        """Hands a game to another page, which has its key; None if it is not held any more."""
        with self._lock:
            self._clear_away()
            held = (p for p, seat in self._seats.items() if compare_digest(seat.key, key))
            old = next(held, None)
            if old is None:
                return None
            seat = self._seats.pop(old)
            self._seats[page or ""] = replace(seat, touched=self._clock())
            return seat.session

    def get(self, page: str | None) -> GameSession:
        """The game of a page.

        Raises:
            ActionError: if it is not held any more.
        """
        with self._lock:
            self._clear_away()
            seat = self._seats.pop(page or "", None)
            if seat is None:
                raise ActionError(
                    "This game has been cleared away; deal the first picture of another one."
                )
            self._seats[page or ""] = replace(seat, touched=self._clock())
            return seat.session

    def _clear_away(self) -> None:
        """Drops those that nobody has touched for long; the oldest stand first."""
        before = self._clock() - SESSION_SECONDS
        while self._seats and next(iter(self._seats.values())).touched < before:
            self._seats.popitem(last=False)

    def _drop_oldest_of(self, client: str) -> None:
        del self._seats[next(p for p, seat in self._seats.items() if seat.client == client)]
