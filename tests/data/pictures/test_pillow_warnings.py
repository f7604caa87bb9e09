"""Pillow's warnings are hushed by one thread at a time, and by none afterwards."""

from __future__ import annotations

import warnings
from threading import Event, Thread

import pytest

from miagym.data.images import quietly


def test_threads_do_not_leave_each_other_hushed() -> None:
    before = list(warnings.filters)
    inside, leave, entered = Event(), Event(), Event()

    def first() -> None:
        with quietly():
            inside.set()
            leave.wait(10)

    def second() -> None:
        inside.wait(10)
        with quietly():
            entered.set()

    threads = [Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    assert inside.wait(10) and not entered.wait(0.2)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert entered.is_set() and list(warnings.filters) == before
    with pytest.raises(UserWarning):
        warnings.warn("heard", stacklevel=1)
