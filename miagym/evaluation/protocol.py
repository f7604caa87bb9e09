"""The held-out protocol: choose and fit on the calibration part, score the test part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.evaluation.metrics import auc
from miagym.oracle import Oracle

HELD_OUT = "held-out"


class Attack(Protocol):
    """What an evaluation needs of an attack; `attacks.base.Attack` is one."""

    access: ClassVar[Access]

    @property
    def cost(self) -> Cost: ...

    def variants(self) -> Sequence[Attack]: ...

    def within(self, queries: int) -> Attack: ...

    def anytime(
        self, oracle: Oracle, candidates: Candidates
    ) -> Mapping[int, NDArray[np.float64]]: ...

    def __call__(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]: ...


@runtime_checkable
class LearnedAttack(Attack, Protocol):
    """An attack that has to be fitted before it scores."""

    def check_calibration(self, member: NDArray[np.bool_]) -> None: ...

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]: ...

    def fit(self, features: NDArray[np.float64], member: NDArray[np.bool_]) -> Self: ...

    def save(self, path: Path) -> None: ...


def best_variant(
    scores: Mapping[str, tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> str:
    """The variant with the highest calibration AUC; the earlier one wins a tie.

    Args:
        scores: calibration scores (n,) and labels (n,) of each variant.
    """
    aucs = {name: auc(values[member], values[~member]) for name, (values, member) in scores.items()}
    return max(aucs, key=lambda name: aucs[name])
