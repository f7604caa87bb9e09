"""Attacks whose score is the size of a residual in latents, with a minus sign."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from attacks.base import Attack, Scores, as_scores
from miagym.oracle import Candidates, Oracle


@dataclass(frozen=True)
class ResidualAttack(Attack):
    """An attack by the difference of two latents, which should be small for members.

    A modifier may change the difference before it is measured, as `LowPass` does.
    """

    @abstractmethod
    def residuals(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        """The differences (draws, n, *latent_shape); all questions are asked here."""

    @abstractmethod
    def size(self, residuals: Tensor) -> Tensor:
        """How large residuals (draws, n, *latent_shape) are: (n,)."""

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        return as_scores(-self.size(self.residuals(oracle, candidates)))
