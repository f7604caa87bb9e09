"""What attacks around another attack have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from attacks.base import Attack, Scores
from miagym.oracle import Access, Candidates, Cost, Oracle


@dataclass(frozen=True)
class Wrapped(Attack):
    """An attack that asks what another one asks, at the same access and for the same cost.

    Args:
        attack: the other one.
    """

    attack: Attack

    @property
    def access(self) -> Access:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.attack.access

    @property
    def adaptive(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.attack.adaptive

    @property
    def uses_reference(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.attack.uses_reference

    @property
    def uses_shadows(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.attack.uses_shadows

    @property
    def beside(self) -> Mapping[str, Attack]:
        return self.attack.beside

    @property
    def cost(self) -> Cost:
        """The other one's own, which it may declare."""
        return self.attack.cost


@dataclass(frozen=True)
class Rescored(Wrapped):
    """Another attack's scores, changed at each budget alike.

    Args:
        attack: the other one.
    """

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        return list(self.anytime(oracle, candidates).values())[-1]

    @abstractmethod
    def anytime(self, oracle: Oracle, candidates: Candidates) -> Mapping[int, Scores]:
        """Scores after so many queries, as `Attack.anytime` has them."""

    def within(self, queries: int) -> Self:
        return replace(self, attack=self.attack.within(queries))

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, attack=attack) for attack in self.attack.variants())
