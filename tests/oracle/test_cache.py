"""Remembered answers: right whatever is forgotten, and never more of them than allowed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miagym.errors import TargetError
from miagym.oracle.budget import Cost
from miagym.oracle.cache import Cache

ROW = 3
BYTES = 4 * ROW
FETCHES = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), max_size=8)


def answer(key: int) -> torch.Tensor:
    return torch.arange(ROW, dtype=torch.float32) + 10 * key


def fetch(cache: Cache, keys: list[int], batch_size: int = 64) -> torch.Tensor:
    def compute(rows: list[int]) -> torch.Tensor:
        return torch.stack([answer(keys[i]) for i in rows])

    return cache.fetch(keys, compute, Cost(queries=1, unet_rows=1), batch_size)


@given(FETCHES, st.none() | st.integers(0, 12 * BYTES), st.integers(1, 4))
def test_answers_are_right_and_within_the_limit(
    fetches: list[list[int]], most_bytes: int | None, batch_size: int
) -> None:
    cache, asked = Cache(most_bytes), set()
    for keys in fetches:
        assert torch.equal(
            fetch(cache, keys, batch_size), torch.stack([answer(key) for key in keys])
        )
        asked |= set(keys)
        if most_bytes is None:
            assert cache.kept_bytes == len(asked) * BYTES
        else:
            assert cache.kept_bytes <= most_bytes
    if most_bytes is None:
        assert cache.computed == Cost(unet_rows=len(asked))


def test_the_oldest_are_forgotten_first() -> None:
    cache = Cache(2 * BYTES)
    for keys in ([1], [2], [3]):
        fetch(cache, keys)
    assert cache.kept_bytes == 2 * BYTES
    fetch(cache, [2, 3])
    assert cache.computed.unet_rows == 3
    fetch(cache, [1])
    assert cache.computed.unet_rows == 4


def test_a_fetch_larger_than_the_limit_computes_each_row_once() -> None:
    cache = Cache(BYTES)
    keys = [1, 2, 3, 2, 1, 4]
    assert torch.equal(fetch(cache, keys, 2), torch.stack([answer(key) for key in keys]))
    assert cache.computed.unet_rows == 4 and cache.kept_bytes == BYTES


def test_a_fetch_that_fails_leaves_the_limit_as_it_is() -> None:
    cache = Cache(BYTES)

    def compute(rows: list[int]) -> torch.Tensor:
        return torch.full((len(rows), ROW), float("nan") if 3 in rows else 0.0)

    with pytest.raises(TargetError, match="NaN or infinity"):
        cache.fetch([1, 2, 3, 4], compute, Cost(unet_rows=1), 1)
    assert cache.kept_bytes <= BYTES
