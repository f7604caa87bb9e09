"""Near-duplicates: copies are found, distinct drawings are kept apart."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from miagym.data.duplicates import (
    MAX_BITS,
    duplicate_groups,
    near_by_embedding,
    near_pairs,
    near_pairs_by_embedding,
    perceptual_hash,
)
from miagym.embedded import art
from miagym.errors import DataError


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded": lambda picture: jpeg(picture, 60),
    "resized": lambda picture: picture.resize((200, 200), Image.Resampling.BICUBIC),
    "brightened": lambda picture: ImageEnhance.Brightness(picture).enhance(1.1),
    "all of it": lambda picture: jpeg(
        ImageEnhance.Brightness(picture.resize((48, 48))).enhance(0.9), 70
    ),
}


@pytest.fixture(scope="module")
def drawings() -> NDArray[np.uint8]:
    return art.pixels(art.table())


@pytest.fixture(scope="module")
def hashes(drawings: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.array([perceptual_hash(pixels) for pixels in drawings], dtype=np.uint64)


def brute_force(hashes: list[int], within: int) -> list[int]:
    """Groups by flooding, the plain way."""
    group = [-1] * len(hashes)
    for start in range(len(hashes)):
        if group[start] >= 0:
            continue
        number, reached = max(group) + 1, [start]
        while reached:
            i = reached.pop()
            if group[i] < 0:
                group[i] = number
                reached += [
                    j for j, h in enumerate(hashes) if (hashes[i] ^ h).bit_count() <= within
                ]
    return group


few_bits = st.integers(0, 2**64 - 1) | st.builds(
    lambda bits: sum(1 << b for b in bits), st.sets(st.integers(0, 63), max_size=9)
)


class TestGroups:
    @given(st.lists(few_bits, max_size=40), st.integers(0, 8))
    def test_as_by_brute_force(self, hashes: list[int], within: int) -> None:
        groups = duplicate_groups(np.array(hashes, dtype=np.uint64), within)
        assert groups.tolist() == brute_force(hashes, within)

    @given(st.lists(few_bits, max_size=20), st.lists(few_bits, max_size=20))
    def test_pairs_across_two_sets(self, first: list[int], second: list[int]) -> None:
        pairs = near_pairs(np.array(first, np.uint64), np.array(second, np.uint64), 4)
        expected = [
            [i, j]
            for i, a in enumerate(first)
            for j, b in enumerate(second)
            if (a ^ b).bit_count() <= 4
        ]
        assert pairs.tolist() == expected

    @pytest.mark.slow
    def test_thirty_thousand_take_no_hours_even_if_all_are_linked(self) -> None:
        rng = np.random.default_rng(0)
        bits = rng.integers(0, 2, (30_000, 20)).astype(np.uint64)
        crowded = (bits << np.arange(20, dtype=np.uint64)).sum(axis=1)
        start = time.monotonic()
        apart = duplicate_groups(rng.integers(0, 2**64, 30_000, dtype=np.uint64))
        assert len(np.unique(apart)) > 29_990
        assert len(np.unique(duplicate_groups(crowded))) == 1
        assert time.monotonic() - start < 600

    def test_embeddings(self) -> None:
        rng = np.random.default_rng(0)
        base = rng.normal(size=(600, 32))
        copies = 3 * base[:100] + rng.normal(scale=0.1, size=(100, 32))
        groups = near_by_embedding(np.concatenate([base, copies]))
        assert groups.tolist() == [*range(600), *range(100)]
        assert near_pairs_by_embedding(copies, base).tolist() == [[i, i] for i in range(100)]
        base[3] = 0
        with pytest.raises(DataError, match="the first of row 3"):
            near_by_embedding(base)


class TestOnTheEmbeddedArt:
    @pytest.mark.parametrize("copy", COPIES)
    def test_planted_copies_are_found(
        self, copy: str, drawings: NDArray[np.uint8], hashes: NDArray[np.uint64]
    ) -> None:
        rows = np.random.default_rng(0).choice(len(drawings), 200, replace=False)
        changed = [
            perceptual_hash(np.asarray(COPIES[copy](Image.fromarray(drawings[row]))))
            for row in rows
        ]
        distance = np.bitwise_count(np.array(changed, dtype=np.uint64) ^ hashes[rows])
        assert np.mean(distance <= MAX_BITS) >= 0.9

    def test_distinct_drawings_are_kept_apart(self, hashes: NDArray[np.uint64]) -> None:
        n = len(hashes)
        pairs = near_pairs(hashes, hashes)
        false = (len(pairs) - n) / 2
        assert false / (n * (n - 1) / 2) < 3e-5
        assert np.bincount(duplicate_groups(hashes)).max() <= 25  # a pack of playing cards
