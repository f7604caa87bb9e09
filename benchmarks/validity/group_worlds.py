"""Test parts of the embedded splits to deal anew, with scores of who saw none of it.

For `group_coverage.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from attacks import make_attack
from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from miagym.data.splits import deal, effective
from miagym.embedded import art
from miagym.oracle import Access, Oracle
from miagym.targets.registry import load_target

UNSEEN = {"clipart-tune": "clipart-realistic", "clipart": "clipart-null"}
"""By data set, a target whose training saw neither side."""
ATTACKS = ("loss", "pia", "sima", "rediffuse")
PIXELS = "edges"
CHUNK = 128


@dataclass(frozen=True)
class World:
    """The test part of an embedded split, and scores of it."""

    data: str
    scores: dict[str, NDArray[np.float64]]
    groups: NDArray[np.int64]
    artists: list[str]

    @classmethod
    def of(cls, data: str, folder: Path) -> World:
        found = load_data(data)
        rows = np.flatnonzero(found.part == TEST)
        source = art.source(data)
        path = folder / f"{data}.safetensors"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            save_file(_scored(data, rows), path)
        assert found.groups is not None
        artists = source.table["artist"].to_pylist()
        return cls(
            data,
            load_file(path),
            found.groups[rows].astype(np.int64),
            [artists[row] for row in rows],
        )

    def dealt(self, seed: int, *, singly: bool) -> NDArray[np.bool_]:
        """Labels (n,)."""
        groups = np.arange(len(self.groups)) if singly else self.groups
        return deal(groups, self.artists, {"member": 1, "non-member": 1}, seed) == "member"

    @cached_property
    def worth(self) -> float:
        return effective(self.groups)


def _scored(data: str, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    target, found = load_target(UNSEEN[data]), load_data(data)
    scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*ATTACKS, PIXELS)}
    for start in range(0, len(rows), CHUNK):
        candidates = found.candidates(rows[start : start + CHUNK], target.resolution)
        for name in ATTACKS:
            scores[name].append(make_attack(name)(Oracle(target, Access.WHITE), candidates))
        x = candidates.images.astype(np.float64) / 255
        edges = [np.abs(np.diff(x, axis=axis)).mean((1, 2, 3)) for axis in (1, 2)]
        scores[PIXELS].append(np.sum(edges, axis=0))
    return {name: np.concatenate(parts) for name, parts in scores.items()}
