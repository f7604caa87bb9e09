"""Calibration by a public reference model: how much more the target knows than its base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attacks.base import Scores
from attacks.wrapped import Rescored
from miagym.oracle import AttackError, Candidates, Oracle, TargetError


@dataclass(frozen=True)
class ReferenceCalibrated(Rescored):
    """Any attack's score minus the same attack's score against the public base of a fine-tune.

    Difficulty calibration: Watson et al., ICLR 2022, arXiv 2111.08440. Under the same noise, what
    makes a picture easy for every model cancels; what is left is what fine-tuning learned.

    The reference model is the attacker's own: asking it costs no budget.

    Args:
        attack: the attack to calibrate.
    """

    paper = "Watson et al. 2022, arXiv 2111.08440"
    uses_reference: ClassVar[bool] = True  # pyright: ignore[reportIncompatibleMethodOverride]

    def __post_init__(self) -> None:
        if self.attack.uses_reference:
            raise AttackError(
                f"{self.attack!r} compares with the reference model itself, which has no reference "
                "model of its own; calibrate it by one once."
            )

    def anytime(self, oracle: Oracle, candidates: Candidates) -> dict[int, Scores]:
        if oracle.reference is None:
            raise TargetError(
                "This attack compares with a public reference model; name one as the "
                "reference, or give the oracle one."
            )
        target = self.attack.anytime(oracle, candidates)
        reference = self.attack.within(max(target)).anytime(oracle.reference, candidates)
        return {queries: target[queries] - reference[queries] for queries in target}
