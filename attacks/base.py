"""What an attack is: hyperparameters in the constructor, data in the call, no state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.oracle import Oracle

Scores = NDArray[np.float64]
"""(n,), higher = member."""


@dataclass(frozen=True)
class Attack(ABC):
    """An attack of one paper: a frozen dataclass, so that `repr` is the constructor call."""

    access: ClassVar[Access]
    paper: ClassVar[str]

    @abstractmethod
    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        """Scores of candidates (n,); higher means member."""

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What the oracle charges for one candidate."""

    def variants(self) -> tuple[Attack, ...]:
        """This attack under other hyperparameters; calibration data choose among them.

        The first is the default, which wins ties.
        """
        return (self,)


@dataclass(frozen=True)
class LearnedAttack(Attack):
    """An attack that learns its decision rule from calibration data."""

    @abstractmethod
    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        """What the rule sees of each candidate (n, d); all questions are asked here."""

    @abstractmethod
    def fit(self, features: NDArray[np.float64], member: NDArray[np.bool_]) -> Self:
        """A copy that has learned from calibration features (n, d) and labels (n,)."""


def as_scores(values: Tensor) -> Scores:
    """Attack arithmetic ends here: (n,) on any device to float64 on the CPU."""
    assert values.ndim == 1
    return values.detach().double().cpu().numpy()


def mean_square(difference: Tensor) -> Tensor:
    """Mean over the elements of each row of the square (n,), in float32 or better."""
    return difference.float().pow(2).flatten(1).mean(1)
