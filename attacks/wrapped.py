"""What attacks around another attack have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attacks.base import Attack
from miagym.oracle import Access, Cost


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
