"""BaVarIA: LiRA whose means and variances are as uncertain as few shadow models leave them."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.base import Scores
from attacks.shadow.base import ShadowAttack
from attacks.shadow.likelihood import Inside, Scale, bavaria
from miagym.oracle import AttackError


@dataclass(frozen=True)
class BaVarIA(ShadowAttack):
    """Bayesian likelihood ratio: Student's t in the place of LiRA's normal densities.

    After arXiv 2603.11799, where LiRA and RMIA are members of one exponential family and a
    normal-inverse-gamma prior is put on mean and variance. Simplified: its prior's hyperparameters
    are ours, and pooled over all pictures that were dealt. A large `trust` and no `strength` are
    LiRA with one variance; without `trust`, it is LiRA with a variance of each picture.

    Score: log t_in(s) - log t_out(s), as `likelihood.bavaria` has them.

    Costs what the attack does; shadow models are asked for free.

    Args:
        attack: whose score is the signal s.
        strength: how many models the prior mean counts for.
        trust: how many models the pooled variance counts for.
    """

    paper = "2026, arXiv 2603.11799"

    strength: float = 1.0
    trust: float = 8.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strength < 0 or self.trust < 0:
            raise AttackError(
                f"Expected strength and trust from 0, got {self.strength} and {self.trust}."
            )

    def compare(self, signal: Scores, signals: Scores, inside: Inside, scale: Scale) -> Scores:
        return bavaria(signal, signals, inside, scale, self.strength, self.trust)

    def needed(self) -> tuple[int, int]:
        return 1, 1
