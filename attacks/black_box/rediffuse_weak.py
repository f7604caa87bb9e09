"""ReDiffuse against its own weak variation, so that the autoencoder's error cancels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from attacks.base import Attack
from attacks.black_box.base import BlackBoxAttack
from attacks.black_box.rediffuse import ReDiffuse
from miagym.oracle import Candidates, Cost, Oracle, metered_cost


@dataclass(frozen=True)
class ReDiffuseWeak(BlackBoxAttack):
    """ReDiffuse with a weak variation of the picture in the place of the picture itself.

    Ours, after Li et al., ICML 2025, arXiv 2405.20771, whose code compares with the decoded latent;
    a black box never sees that one, but a variation of small strength comes close. What the
    autoencoder loses is then lost on both sides, and no longer hides what the model knows.

    Score: -||weak variation(x) - mean over draws of variation(x)||_2; of one picture alone, which
    is the weak one, its distance from x.

    Costs a weak variation, then what `ReDiffuse` does.

    Args:
        draws: pictures a candidate, the weak one among them.
        strength: of the variations, as in `ReDiffuse`.
        weak: strength of the weak variation.
        steps: DDIM steps of a full generation.
        guidance_scale: classifier-free guidance; 1 is off.
    """

    paper = "miagym, docs/evaluate/turned.md"

    draws: int = 3
    strength: float = 0.3
    weak: float = 0.1
    steps: int = 10
    guidance_scale: float = 1.0

    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        strength = self.weak if draw == 0 else self.strength
        variations = ReDiffuse(self.draws, strength, self.steps, self.guidance_scale)
        return variations.picture(oracle, candidates, max(0, draw - 1))

    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        weak, *strong = pictures
        nearest = candidates if not strong else pictures[1:].mean(0)
        return (weak - nearest).flatten(1).norm(dim=1)

    @property
    def query(self) -> Cost:
        """What a picture of full strength costs, the dearest."""
        return metered_cost(
            replace(self, draws=2), lambda oracle, few: self.picture(oracle, few, 1)
        )

    @property
    def cost(self) -> Cost:
        weak = metered_cost(
            replace(self, draws=1), lambda oracle, few: self.picture(oracle, few, 0)
        )
        return weak + self.query * (self.draws - 1)

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, strength=s) for s in (self.strength, 0.6))
