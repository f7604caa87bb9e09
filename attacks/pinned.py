"""An attack whose parameters somebody has named, so that calibration must not choose others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attacks.base import Attack, Scores
from attacks.wrapped import Wrapped
from miagym.oracle import Candidates, Oracle


@dataclass(frozen=True, repr=False)
class Pinned(Wrapped):
    """Any attack, of whose variants only those remain that keep the parameters that were named.

    It is written as the attack itself.

    Args:
        attack: under the parameters that were named.
        named: their names.
    """

    named: frozenset[str]

    @property
    def paper(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.attack.paper

    def __repr__(self) -> str:
        return repr(self.attack)

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        return self.attack(oracle, candidates)

    def anytime(self, oracle: Oracle, candidates: Candidates) -> Mapping[int, Scores]:
        return self.attack.anytime(oracle, candidates)

    def within(self, queries: int) -> Attack:
        return Pinned(self.attack.within(queries), self.named)

    def variants(self) -> tuple[Attack, ...]:
        kept = self._values(self.attack)
        return tuple(v for v in self.attack.variants() if self._values(v) == kept)

    def _values(self, attack: Attack) -> dict[str, Any]:
        return {name: getattr(attack, name) for name in sorted(self.named)}
