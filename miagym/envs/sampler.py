"""Splits of a data set that share no picture, and sampling of candidates without replacement."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data
from miagym.data.splits import deal
from miagym.errors import SettingsError

SHARES = {"train": 2.0, "val": 1.0}
"""How the calibration part of a data set is dealt; `test` is its test part."""

shared_data = lru_cache(maxsize=8)(load_data)
"""Data sets by name, loaded once for all environments of a process."""


class CandidateSplit:
    """Candidates of one split; without labels on `test`, where `grade` looks them up afterwards.

    Args:
        data: which pictures.
        split: "train" and "val" are cut from the calibration part by whole groups.
        size: side of the pictures in pixels.

    Raises:
        SettingsError: if the split has no member, or no non-member.
    """

    def __init__(self, data: Dataset, split: str, size: int) -> None:
        self._data, self._size = data, size
        self._rows = rows_of(data, split)
        self.name = f"{data.name}, {split}"
        self._member = None if split == TEST else data.member[self._rows].astype(np.int8)

    def __len__(self) -> int:
        return len(self._rows)

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        """Candidates at some places of the split, as an attacker sees them."""
        return self._data.candidates(self._rows[places], self._size)

    def member(self, places: NDArray[np.integer]) -> NDArray[np.int8] | None:
        """Labels (n,) at some places of the split, 1 for members; None on `test`."""
        return None if self._member is None else self._member[places]

    def model(self, places: NDArray[np.integer]) -> int:
        """Number of the model that a hand is about; here there is one."""
        return 0

    def judged(self, places: NDArray[np.integer], dealt: Candidates) -> tuple[str, ...]:
        """Keys under which verdicts on candidates are kept: their own."""
        return dealt.keys

    def sampler(self, n: int, rng: np.random.Generator) -> Sampler:
        """Deals n candidates without putting back.

        Raises:
            SettingsError: if there are fewer.
        """
        return CandidateSampler(len(self), self.name, n, rng)


class Sampler(Protocol):
    """Deals an episode's candidates."""

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one episode's candidates (n,)."""
        ...


class Split(Protocol):
    """Candidates of one split, and how they are dealt."""

    name: str

    def __len__(self) -> int: ...

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        """Candidates at some places of the split, as an attacker sees them."""
        ...

    def member(self, places: NDArray[np.integer]) -> NDArray[np.int8] | None:
        """Labels (n,) at some places of the split, 1 for members; None where nobody may know."""
        ...

    def model(self, places: NDArray[np.integer]) -> int:
        """Number of the model that the candidates of an episode are about, within the split."""
        ...

    def judged(self, places: NDArray[np.integer], dealt: Candidates) -> tuple[str, ...]:
        """Keys under which verdicts on the candidates of an episode are kept."""
        ...

    def sampler(self, n: int, rng: np.random.Generator) -> Sampler:
        """Deals the n candidates of an episode."""
        ...


class CandidateSampler:
    """Draws candidates without replacement, and shuffles anew when too few are left.

    Args:
        size: candidates that there are.
        name: of what they are from.
        n: candidates in an episode.
        rng: of the order.

    Raises:
        SettingsError: if there are fewer than n.
    """

    def __init__(self, size: int, name: str, n: int, rng: np.random.Generator) -> None:
        if n > size:
            raise SettingsError(
                f"An episode of {n} candidates cannot be dealt from {size} ({name}); "
                "ask for fewer candidates."
            )
        self._size, self._n, self._rng = size, n, rng
        self._order = np.empty(0, dtype=np.int64)

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one episode's candidates (n,), drawn without a look at labels."""
        if len(self._order) < self._n:
            self._order = self._rng.permutation(self._size)
        drawn, self._order = self._order[: self._n], self._order[self._n :]
        return drawn


def rows_of(data: Dataset, split: str) -> NDArray[np.int64]:
    """Rows of a data set in one of its splits.

    Raises:
        SettingsError: if it lacks members or non-members.
    """
    if split == TEST:
        rows = np.flatnonzero(data.part == TEST)
    else:
        rows = np.flatnonzero(data.part == CALIBRATION)
        groups = np.arange(len(data)) if data.groups is None else data.groups
        sides = np.where(data.member[rows], "member", "non-member").tolist()
        rows = rows[deal(groups[rows], sides, SHARES, seed=0) == split]
    if len(np.unique(data.member[rows])) < 2:
        raise SettingsError(
            f"The {split} split of {data.name} lacks members or non-members: its "
            f"{'test' if split == TEST else 'calibration'} part has too few pictures, or groups."
        )
    return rows
