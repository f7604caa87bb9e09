"""Turns: round robin among clients, so that none who asks often keeps the others waiting."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from miagym.errors import RateLimitExceeded

T = TypeVar("T")

MAX_WAITING = 4
"""Things that one client may have waiting in one place."""
MAX_REMEMBERED = 10_000
"""Clients whose last turn is known."""


class Turns:
    """Whose turn it is: of those who wait, the client served longest ago; its own go in order."""

    def __init__(self) -> None:
        self._served: OrderedDict[str, int] = OrderedDict()
        self._count = 0

    def first(self, clients: Sequence[str]) -> int:
        """The place of the one whose turn it is, among all that wait, in the order they came."""
        return min(range(len(clients)), key=lambda i: (self._served.get(clients[i], 0), i))

    def serve(self, client: str) -> None:
        """A client's turn has come."""
        self._count += 1
        self._served[client] = self._count
        self._served.move_to_end(client)
        while len(self._served) > MAX_REMEMBERED:
            self._served.popitem(last=False)


def check_waiting(client: str, waiting: Iterable[str], most: int | None = MAX_WAITING) -> None:
    """Whether a client may let one more wait.

    Args:
        client: who asks.
        waiting: to whom belongs what waits now.
        most: of one client; None for no limit.

    Raises:
        RateLimitExceeded: if it has as many waiting as it may.
    """
    if most is not None and (count := Counter(waiting)[client]) >= most:
        raise RateLimitExceeded(
            f"You have {count} requests waiting here, the most that one visitor may have; wait "
            "until one is answered."
        )
