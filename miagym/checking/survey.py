"""Asking attacks about many pictures of a data set, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.checking.features import looks
from miagym.data.dataset import Dataset
from miagym.errors import DataError
from miagym.evaluation.protocol import Attack
from miagym.evaluation.signals import Name, Signals, first_readable
from miagym.evaluation.workers import chunk_workers

CHUNK = 64
"""Candidates that share a cache, and are then forgotten."""


@dataclass(frozen=True, eq=False)
class Surveyed(Generic[Name]):
    """What attacks, and the guard, see of the n pictures that could be read."""

    rows: NDArray[np.int64]
    keys: tuple[str, ...]
    looks: NDArray[np.float64]
    signals: Mapping[Name, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Survey:
    """Asks about rows of a data set, under their captions or under none.

    Args:
        signals: the attacks, and whom they ask.
        data: about which pictures.
        captioned: whether the captions are used.
        done: called after each chunk.
    """

    signals: Signals
    data: Dataset
    captioned: bool
    done: Callable[[], None]

    def admitted(self, rows: NDArray[np.int64]) -> tuple[dict[str, Attack], dict[str, str]]:
        """The attacks that can be run on the first readable row, and why the others cannot.

        Raises:
            DataError: if no picture can be read.
            RunError: if no attack can be run.
        """
        one = first_readable(self.data, rows, self.signals.target.resolution)
        left_out = self.signals.refused(one if self.captioned else without_captions(one))
        attacks = {n: attack for n, attack in self.signals.attacks.items() if n not in left_out}
        self.signals.check_any_left(attacks, left_out.values())
        return attacks, left_out

    def ask(self, attacks: Mapping[Name, Attack], rows: NDArray[np.int64]) -> Surveyed[Name]:
        """All of these attacks about all of these rows.

        Raises:
            DataError: if no picture can be read.
        """
        starts = range(0, len(rows), CHUNK)
        found: list[Surveyed[Name]] = []
        with chunk_workers(self.signals.target) as pool:
            for chunk in pool.map(lambda a: self._chunk(attacks, rows[a : a + CHUNK]), starts):
                found += [chunk] if len(chunk.rows) else []
                self.done()
        if not found:
            raise DataError(f"None of {len(rows)} pictures of {self.data.name} can be read.")
        return Surveyed(
            rows=np.concatenate([chunk.rows for chunk in found]),
            keys=tuple(key for chunk in found for key in chunk.keys),
            looks=np.concatenate([chunk.looks for chunk in found]),
            signals={n: np.concatenate([chunk.signals[n] for chunk in found]) for n in attacks},
        )

    def _chunk(self, attacks: Mapping[Name, Attack], rows: NDArray[np.int64]) -> Surveyed[Name]:
        loaded = self.data.load(rows, self.signals.target.resolution)
        if not len(loaded.rows):
            return Surveyed(loaded.rows, (), np.empty((0, 0)), {})
        found = loaded.candidates if self.captioned else without_captions(loaded.candidates)
        return Surveyed(loaded.rows, found.keys, looks(found), self.signals.of(attacks, found))


def without_captions(candidates: Candidates) -> Candidates:
    """The same pictures, asked about under the empty prompt."""
    return Candidates(candidates.images, ("",) * len(candidates))
