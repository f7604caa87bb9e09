"""RMIA: how much likelier the picture is under the target than under models at large."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.base import Scores
from attacks.shadow.base import ShadowAttack
from attacks.shadow.likelihood import Inside, Scale, rmia
from miagym.oracle import AttackError


@dataclass(frozen=True)
class RMIA(ShadowAttack):
    """Robust membership inference: the ratio of likelihood under the target to that at large.

    Zarifzadeh, Liu, Shokri, ICML 2024, arXiv 2312.03262. Simplified: a diffusion model's signal
    is no probability, so p(x | model) = exp(s / T), with T in deviations between models; the
    comparison with population pictures z is left out, since with the same z for all x it is a
    step function of this ratio and only adds ties; offline, p(x) is that of models that were not
    trained on x, where the paper interpolates towards a probability of 1.

    Score: log p(x | target) - log p(x).

    Costs what the attack does; shadow models are asked for free.

    Args:
        attack: whose score is the signal s.
        online: whether shadow models that were trained on the picture are used too.
        temperature: T, in pooled deviations of models that were not trained on a picture.
    """

    paper = "Zarifzadeh et al. 2024, arXiv 2312.03262"

    online: bool = True
    temperature: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.temperature <= 0:
            raise AttackError(f"Expected a temperature above 0, got {self.temperature}.")

    def compare(self, signal: Scores, signals: Scores, inside: Inside, scale: Scale) -> Scores:
        return rmia(signal, signals, inside, self.temperature * scale.outside, self.online)

    def needed(self) -> tuple[int, int]:
        return (1 if self.online else 0), 1
