"""Rate limit: so many calls at once, and then as they come in again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from threading import Lock

from miagym.errors import SettingsError

MAX_KNOWN = 4096
"""Callers that are remembered."""
MAX_CALLS = 6000
"""Calls a minute."""


class Bucket:
    """Token bucket of each caller.

    Args:
        a_second: how many tokens each gets back.
        at_once: how many each begins with, and can save up.
        clock: seconds, which only ever grow.
    """

    def __init__(
        self, a_second: float, at_once: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._a_second, self._at_once = a_second, at_once
        self._clock, self._lock = clock, Lock()
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, caller: Hashable) -> float:
        """Takes one token, and returns 0, or the seconds to wait for one."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(caller, (self._at_once, now))
            left = min(self._at_once, left + (now - at) * self._a_second)
            wait = 0.0 if left >= 1 else (1 - left) / self._a_second
            self._left[caller] = (left - (wait == 0), now)
            while len(self._left) > MAX_KNOWN:
                self._left.popitem(last=False)
        return wait


def a_minute(calls: int, clock: Callable[[], float] = time.monotonic) -> Bucket:
    """Bucket of so many calls a minute."""
    return Bucket(calls / 60, calls, clock)


def await_turn(bucket: Bucket, callers: Iterable[Hashable]) -> None:
    """Waits, as a polite client does, until each of the callers may call."""
    for caller in callers:
        while seconds := bucket.take(caller):
            time.sleep(seconds)


def check_rate(calls: object) -> None:
    """Refuses what is no rate.

    Raises:
        SettingsError: if it is neither None nor a whole number of calls a minute.
    """
    if calls is None:
        return
    if not isinstance(calls, int) or isinstance(calls, bool) or not 1 <= calls <= MAX_CALLS:
        raise SettingsError(
            f"Expected from 1 to {MAX_CALLS} calls a minute, or None for no limit; got {calls!r}."
        )
