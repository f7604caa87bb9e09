"""Asking attacks about many pictures of a data set, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.checking.features import looks
from miagym.checking.signals import Name, Panel
from miagym.data.dataset import Dataset
from miagym.errors import DataError
from miagym.evaluation.protocol import Attack

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
    """Asks a panel about rows of a data set, under their captions or under none.

    Args:
        panel: whom.
        data: about which pictures.
        captioned: whether the captions are used.
        done: called after each chunk.
    """

    panel: Panel
    data: Dataset
    captioned: bool
    done: Callable[[], None]

    def admitted(self, rows: NDArray[np.int64]) -> tuple[dict[str, Attack], dict[str, str]]:
        """The attacks that can be run on the first readable row, and why the others cannot.

        Raises:
            DataError: if none can.
        """
        one = next((found for _, found in map(self._read, rows[:, None]) if len(found)), None)
        if one is None:
            raise DataError(f"None of the {len(rows)} pictures of {self.data.name} can be read.")
        left_out = self.panel.refused(one)
        attacks = {n: attack for n, attack in self.panel.attacks.items() if n not in left_out}
        if not attacks:
            reasons = " ".join(dict.fromkeys(left_out.values()))
            raise DataError(f"No attack can be run on {self.panel.target.name}: {reasons}")
        return attacks, left_out

    def ask(self, attacks: Mapping[Name, Attack], rows: NDArray[np.int64]) -> Surveyed[Name]:
        """All of these attacks about all of these rows."""
        read: list[NDArray[np.int64]] = []
        keys: list[str] = []
        seen: list[NDArray[np.float64]] = []
        signals: dict[Name, list[NDArray[np.float64]]] = {name: [] for name in attacks}
        for start in range(0, len(rows), CHUNK):
            readable, candidates = self._read(rows[start : start + CHUNK])
            if len(readable):
                for name, values in self.panel.signals(attacks, candidates).items():
                    signals[name].append(values)
                read.append(readable)
                keys += candidates.keys
                seen.append(looks(candidates))
            self.done()
        if not read:
            raise DataError(f"None of {len(rows)} pictures of {self.data.name} can be read.")
        together = {name: np.concatenate(values) for name, values in signals.items()}
        return Surveyed(np.concatenate(read), tuple(keys), np.concatenate(seen), together)

    def _read(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], Candidates]:
        loaded = self.data.load(rows, self.panel.target.resolution)
        found = loaded.candidates
        return loaded.rows, found if self.captioned else without_captions(found)


def without_captions(candidates: Candidates) -> Candidates:
    """The same pictures, asked about under the empty prompt."""
    return Candidates(candidates.images, ("",) * len(candidates))
