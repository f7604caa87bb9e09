"""Rate limit: an allowance of UNet rows an hour for each client."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from miagym.app.server.bill import JobBill
from miagym.app.server.jobs import Work
from miagym.app.server.turns import MAX_WAITING
from miagym.errors import RateLimitExceeded
from miagym.progress import Progress

T = TypeVar("T")

HOUR = 3600.0
MAX_CLIENTS = 10_000
"""Of which allowances are kept; the one that has been away longest is forgotten first."""
ROWS = "units"
"""UNet rows, in a word that a visitor may know no more of."""


class Allowance:
    """Token bucket of each client: it fills up evenly, to `most` in an hour, in memory.

    Args:
        most: units an hour; None for no limit.
        clock: seconds, never going back.
        unit: what is counted, in the plural.
    """

    def __init__(
        self, most: int | None, clock: Callable[[], float] = time.monotonic, unit: str = ROWS
    ) -> None:
        self.most = most
        self._clock, self._unit = clock, unit
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    @property
    def is_limited(self) -> bool:
        """Whether anything is counted."""
        return self.most is not None

    @property
    def max_waiting(self) -> int | None:
        """How much a client may have waiting in one place; None for no limit."""
        return None if self.most is None else MAX_WAITING

    def left(self, client: str) -> int | None:
        """What a client may ask for now; None for no limit."""
        with self._lock:
            return None if self.most is None else int(self._filled(client, self.most))

    def take(self, client: str, count: int) -> None:
        """Takes from a client's allowance, before anything is computed.

        Raises:
            RateLimitExceeded: if it does not hold so much; then nothing is taken.
        """
        if self.most is None:
            return
        with self._lock:
            left = self._filled(client, self.most)
            if count > left:
                raise RateLimitExceeded(self._refusal(count, left, self.most))
            self._keep(client, left - count)

    def give_back(self, client: str, count: int) -> None:
        """Returns what was taken, and not used after all."""
        if self.most is not None:
            with self._lock:
                self._keep(client, self._filled(client, self.most) + count)

    @contextmanager
    def paying(self, client: str) -> Iterator[Callable[[int], None]]:
        """What takes from a client's allowance; if the work within fails, all is given back."""
        taken: list[int] = []

        def pay(count: int) -> None:
            self.take(client, count)
            taken.append(count)

        try:
            yield pay
        except BaseException:
            self.give_back(client, sum(taken))
            raise

    def paid(self, client: str, bill: JobBill, do: Callable[[Progress], T]) -> Work[T]:
        """Work that is paid for now, so that it is never refused once it has waited.

        What has not been computed when it ends is given back: all of it, if it never began.

        Raises:
            RateLimitExceeded: if it cannot be paid.
        """
        self.take(client, bill.total)

        def done(progress: Progress) -> T:
            bill.begin()
            result = do(bill.watched(progress))
            bill.end()
            return result

        def settle() -> None:
            self.give_back(client, bill.total - bill.used)

        return Work(done, client, self.max_waiting, settle)

    def free(self, client: str, do: Callable[[Progress], T]) -> Work[T]:
        """Work that costs nothing."""
        return Work(do, client, self.max_waiting)

    def _refusal(self, count: int, left: float, most: int) -> str:
        minutes = max(1, round((count - left) / most * HOUR / 60))
        can = (
            f"wait {minutes} minute{'s' if minutes > 1 else ''}, or ask for less"
            if count <= most
            else "ask for less, or run miagym on your own machine"
        )
        return (
            f"This takes {count:,} {self._unit}, and {int(left):,} of your {most:,} an hour are "
            f"left; {can}."
        )

    def _keep(self, client: str, left: float) -> None:
        self._left[client] = (left, self._clock())
        self._left.move_to_end(client)
        while len(self._left) > MAX_CLIENTS:
            self._left.popitem(last=False)

    def _filled(self, client: str, most: int) -> float:
        now = self._clock()
        left, when = self._left.get(client, (float(most), now))
        return min(float(most), left + (now - when) / HOUR * most)
