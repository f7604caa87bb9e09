"""A visitor's allowance holds on the server, whatever is asked."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miagym.app import visitors
from miagym.app.sentences import in_sentences
from miagym.app.visitors import Allowance, visitor_of
from miagym.errors import DataError, TooMuchAsked


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.integers(0, 150), st.floats(0, 4000)), max_size=30))
def test_nobody_gets_more_than_a_full_hour_at_once_or_in_an_hour(
    asked: list[tuple[int, float]],
) -> None:
    clock = Clock()
    allowance = Allowance(100, clock)
    taken: list[tuple[float, int]] = []
    for rows, wait in asked:
        before = allowance.left("a")
        try:
            allowance.take("a", rows)
            taken.append((clock.now, rows))
            assert rows <= before + 1 and allowance.left("a") >= 0
        except TooMuchAsked:
            assert rows > before and allowance.left("a") == before
        clock.now += wait
    for start, _ in taken:
        in_an_hour = sum(rows for when, rows in taken if start <= when <= start + visitors.HOUR)
        assert in_an_hour <= 200, "a full allowance, and what fills up meanwhile"


def test_visitors_do_not_pay_for_each_other() -> None:
    clock = Clock()
    allowance = Allowance(100, clock)
    allowance.take("a", 100)
    allowance.take("b", 60)
    with pytest.raises(TooMuchAsked, match=r"takes 50 .* 0 of your 100 an hour.*30 minutes"):
        allowance.take("a", 50)
    with pytest.raises(TooMuchAsked, match="your own machine"):
        allowance.take("c", 101)
    clock.now += 1800
    allowance.take("a", 50)
    assert (allowance.left("a"), allowance.left("b")) == (0, 90)


def test_many_threads_take_no_more_than_there_is() -> None:
    allowance, got = Allowance(100, lambda: 0.0), []

    def take() -> None:
        for _ in range(50):
            try:
                allowance.take("a", 1)
                got.append(1)
            except TooMuchAsked:
                pass

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 100


def test_the_longest_away_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "REMEMBERED", 3)
    allowance = Allowance(10, lambda: 0.0)
    for name in "abcd":
        allowance.take(name, 10)
    assert [allowance.left(name) for name in "abcd"] == [10, 0, 0, 0]


def test_a_header_counts_only_behind_a_space_s_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    request = SimpleNamespace(
        headers={"x-forwarded-for": "6.6.6.6, 9.9.9.9"}, client=SimpleNamespace(host="127.0.0.1")
    )
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert visitor_of(request) == "127.0.0.1"  # pyright: ignore[reportArgumentType]
    monkeypatch.setenv("SPACE_ID", "owner/space")
    assert visitor_of(request) == "9.9.9.9"  # pyright: ignore[reportArgumentType]
    assert visitor_of(None) == "local"


def test_our_errors_are_said_and_others_are_not() -> None:
    @in_sentences
    def refuses() -> None:
        raise DataError("Expected a picture.")

    @in_sentences
    def begins():
        yield 1
        raise DataError("Expected more.")

    @in_sentences
    def breaks() -> None:
        raise KeyError("/secret/path")

    with pytest.raises(gr.Error, match="Expected a picture"):
        refuses()
    steps = begins()
    assert next(steps) == 1
    with pytest.raises(gr.Error, match="Expected more"):
        next(steps)
    with pytest.raises(KeyError):
        breaks()
