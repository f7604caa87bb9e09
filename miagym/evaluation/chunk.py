"""A chunk: some candidates that all attacks score together, and what is to be done with them."""

from __future__ import annotations

from collections.abc import Mapping
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
    """`CALIBRATION`, `TEST` or, where the null target is asked, `NULL`; or `GENERATED`, where the
    target's own pictures stand in the place of those of the rows."""
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
