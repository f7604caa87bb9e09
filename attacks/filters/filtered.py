"""Modifiers that change an attack's residual in latents before it is measured."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from attacks.base import Attack, Scores, as_scores
from attacks.modifiers import modifier_of
from attacks.pinned import Pinned
from attacks.residual import ResidualAttack
from attacks.wrapped import Wrapped
from miagym.oracle import AttackError, Candidates, Oracle


@dataclass(frozen=True)
class Filtered(Wrapped):
    """An attack by a residual in latents, of which not everything counts alike.

    Args:
        attack: one by a residual in latents, filtered or not.
    """

    def __post_init__(self) -> None:
        self._inner()

    @abstractmethod
    def changed(self, residuals: Tensor, oracle: Oracle, candidates: Candidates) -> Tensor:
        """What counts of residuals (draws, n, *latent_shape)."""

    def residuals(self, oracle: Oracle, candidates: Candidates) -> Tensor:
        """What counts of the attack's differences (draws, n, *latent_shape)."""
        return self.changed(self._inner().residuals(oracle, candidates), oracle, candidates)

    def size(self, residuals: Tensor) -> Tensor:
        """How large the attack takes them to be: (n,)."""
        return self._inner().size(residuals)

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        return as_scores(-self.size(self.residuals(oracle, candidates)))

    def _inner(self) -> ResidualAttack | Filtered:
        attack: Attack = self.attack
        while isinstance(attack, Pinned):
            attack = attack.attack
        if not isinstance(attack, ResidualAttack | Filtered):
            raise AttackError(
                f"{type(attack).__name__} has no residual in latents that a filter could be put "
                f"on; use +{modifier_of(type(self))} on loss, multiple-loss, sima, pia, pian or "
                "secmi."
            )
        return attack
