"""Base of the attacks by shadow models: one signal, asked of the target and of all shadows."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from attacks.base import Attack, LearnedAttack, Scores
from attacks.shadow.likelihood import Inside, Scale
from attacks.wrapped import Rescored
from miagym.oracle import (
    Access,
    AttackError,
    Candidates,
    Oracle,
    Shadows,
    TargetError,
    TooFewShadows,
)


@dataclass(frozen=True)
class ShadowAttack(Rescored):
    """Compares an attack's score under the target with its scores under shadow models.

    Shadow models are the attacker's own: asking them costs no budget.

    Args:
        attack: whose score is the signal.
    """

    uses_shadows: ClassVar[bool] = True  # pyright: ignore[reportIncompatibleMethodOverride]

    def __post_init__(self) -> None:
        if isinstance(self.attack, LearnedAttack) or self.attack.access == Access.BLIND:
            raise AttackError(
                f"{type(self).__name__} compares scores of one attack under many models; "
                f"{type(self.attack).__name__} is fitted to one model, or asks none."
            )
        if self.attack.uses_shadows:
            raise AttackError(
                f"{self.attack!r} compares with shadow models itself, and they have no shadow "
                "models of their own; compare it with them once."
            )

    @abstractmethod
    def compare(self, signal: Scores, signals: Scores, inside: Inside, scale: Scale) -> Scores:
        """Scores (n,) from signals of the target (n,) and of shadow models (k, n)."""

    @abstractmethod
    def needed(self) -> tuple[int, int]:
        """Shadow models trained on a picture, and not trained on it, without which it fails."""

    def anytime(self, oracle: Oracle, candidates: Candidates) -> dict[int, Scores]:
        if oracle.shadows is None:
            raise TargetError(
                f"{type(self).__name__} compares with shadow models; name some as the shadows, a "
                "population that `miagym train` has made, say."
            )
        shadows = oracle.shadows
        inside = shadows.inside(candidates)
        self.check_enough(inside)
        own = self.attack.anytime(oracle, candidates)
        attack = self.attack.within(max(own))
        others = [attack.anytime(each, candidates) for each in shadows.oracles]
        return {
            queries: self.compare(
                own[queries],
                np.stack([other[queries] for other in others]),
                inside,
                _scale(shadows, attack, queries),
            )
            for queries in own
        }

    def check_enough(self, inside: Inside) -> None:
        """Refuses a deal that leaves a candidate without enough shadow models.

        Raises:
            TooFewShadows: with both numbers.
        """
        ours, theirs = self.needed()
        trained, not_trained = inside.sum(0), (~inside).sum(0)
        short = (trained < ours) | (not_trained < theirs)
        if short.any():
            i = int(np.flatnonzero(short)[0])
            raise TooFewShadows(
                f"{type(self).__name__} needs {ours} shadow models that were trained on a picture "
                f"and {theirs} that were not; of {len(inside)}, {trained[i]} were trained on one "
                f"of the candidates and {not_trained[i]} were not: give more of them, or "
                "candidates that were dealt to them."
            )


def _scale(shadows: Shadows, attack: Attack, queries: int) -> Scale:
    """Pooled deviations of the signal over all pictures that were dealt, computed once."""

    def pooled() -> Scale:
        pool = shadows.pool
        signals = [attack.anytime(each, pool)[queries] for each in shadows.oracles]
        return Scale.of(np.stack(signals), shadows.inside(pool))

    return shadows.once((repr(attack), queries), pooled)
