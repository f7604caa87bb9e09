"""A chunk: candidates that all attacks score together, what is done with them, and what it took."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from miagym.evaluation.protocol import Attack, LearnedAttack

Variants = Mapping[str, Mapping[str, Attack]]
"""By attack name, variants by their repr."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a match's data, scored together under one cache."""

    name: str
    part: str
    """`CALIBRATION`, `TEST` or, where another model is asked, `NULL` or `OTHER`; or `GENERATED`,
    where the target's own pictures stand in the place of those of the rows."""
    rows: NDArray[np.int64]
    chooses: bool = False
    """Whether variants are compared on it."""


@dataclass(frozen=True)
class Job:
    """What is done with a chunk."""

    scored: Variants = field(default_factory=dict)
    """Attacks to score: by name, variants by their repr."""
    others: Variants = field(default_factory=dict)
    """Variants that were not chosen, for the paper's protocol."""
    learning: Mapping[str, LearnedAttack] = field(default_factory=dict)
    """Attacks whose features are kept, to be fitted on."""

    @property
    def names(self) -> tuple[str, ...]:
        """Attacks that take part, in the order in which they ask."""
        return tuple(dict.fromkeys([*self.scored, *self.others, *self.learning]))


@dataclass(frozen=True)
class Clock:
    """What a chunk took, which no two runs share and scores.parquet therefore leaves out."""

    seconds: dict[str, float]
    """Seconds of each attack that the chunk is done with, in vain or not."""
    rows_charged: dict[str, int]
    """UNet rows by attack."""
    rows_computed: int
    refused: dict[str, str]
    """Why attacks gave no scores on this chunk."""
    unreadable: dict[str, str]
    """By the row of a picture that could not be read, why."""

    def without(self, names: Collection[str]) -> Clock:
        """The same, before these attacks were run; what was computed for them stays computed."""
        return Clock(
            {name: spent for name, spent in self.seconds.items() if name not in names},
            {name: rows for name, rows in self.rows_charged.items() if name not in names},
            self.rows_computed,
            {name: why for name, why in self.refused.items() if name not in names},
            self.unreadable,
        )

    def __add__(self, other: Clock) -> Clock:
        return Clock(
            self.seconds | other.seconds,
            self.rows_charged | other.rows_charged,
            self.rows_computed + other.rows_computed,
            self.refused | other.refused,
            other.unreadable,
        )


@dataclass(frozen=True)
class ChunkFeatures:
    """What learned attacks see of a calibration chunk."""

    rows: NDArray[np.int64]
    """Which rows of the data (n,) could be read."""
    member: NDArray[np.bool_]
    """Labels (n,)."""
    by_attack: dict[str, NDArray[np.float64]]
    """Features (n, d) by attack."""
