"""The attacks of a check, and whom they ask."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.errors import AccessDenied, NoCaption, TargetError
from miagym.evaluation.protocol import Attack, LearnedAttack
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.cache import Cache
from miagym.targets.base import Target

ATTACKS = {
    "black": ("rediffuse", "text-to-image"),
    "grey": ("sima", "pia", "loss", "clid"),
}
"""What a check asks by default at each access level: quick ones, which the combination weighs."""

Name = TypeVar("Name", bound=Hashable)

REFUSALS = (AccessDenied, NoCaption, TargetError)
"""Why an attack is left out of a check, while the others go on."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Attacks that are all asked about the same picture.

    Args:
        target: the model in question.
        attacks: by name.
        reference: a public base of the target, for attacks that calibrate by it.
        seed: of all noise, and of everything drawn at calibration.
        batch_size: latents in one call of the target.
    """

    target: Target
    attacks: Mapping[str, Attack]
    reference: Target | None = None
    seed: int = 0
    batch_size: int = 64

    def signals(
        self, attacks: Mapping[Name, Attack], candidates: Candidates
    ) -> dict[Name, NDArray[np.float64]]:
        """By attack: scores (n, 1), or what its rule sees (n, d); all under one cache."""
        cache = Cache()
        found: dict[Name, NDArray[np.float64]] = {}
        for name, attack in attacks.items():
            oracle = self._oracle(attack.access, cache)
            if isinstance(attack, LearnedAttack):
                found[name] = attack.features(oracle, candidates)
            else:
                found[name] = attack(oracle, candidates)[:, None]
        return found

    def refused(self, candidate: Candidates) -> dict[str, str]:
        """Which attacks cannot be run on a candidate like this one, and why."""
        reasons = {}
        for name, attack in self.attacks.items():
            try:
                self.signals({name: attack}, candidate)
            except REFUSALS as error:
                reasons[name] = str(error)
        return reasons

    def _oracle(self, access: Access, cache: Cache) -> Oracle:
        def door(target: Target, reference: Oracle | None = None) -> Oracle:
            return Oracle(
                target,
                access,
                seed=self.seed,
                cache=cache,
                batch_size=self.batch_size,
                reference=reference,
            )

        return door(self.target, None if self.reference is None else door(self.reference))
