"""Shadow models: the attacker's own, trained like the target on pictures that are known."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.errors import DataError

if TYPE_CHECKING:
    from miagym.oracle.oracle import Oracle

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Shadows:
    """Oracles to shadow models, and what each was trained on.

    Args:
        oracles: one to each model (k); asking them costs the attacker nothing.
        members: keys of the candidates that each was trained on (k).
        pool: the pictures that were dealt, from which scales are estimated, so that no score
            depends on who else is in a batch.
        memory: of what was computed once; shared by the oracles of one run.
    """

    oracles: tuple[Oracle, ...]
    members: tuple[frozenset[str], ...]
    pool: Candidates
    memory: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.oracles or len(self.oracles) != len(self.members):
            raise DataError(
                f"Expected shadow models and what each was trained on, got {len(self.oracles)} and "
                f"{len(self.members)}."
            )

    def inside(self, candidates: Candidates) -> NDArray[np.bool_]:
        """Which model was trained on which candidate (k, n)."""
        return np.array([[key in seen for key in candidates.keys] for seen in self.members])

    def once(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of this key, computed when it is first asked for."""
        if key not in self.memory:
            self.memory[key] = compute()
        return self.memory[key]
