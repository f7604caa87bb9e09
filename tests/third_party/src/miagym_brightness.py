"""An attack of a third party: brighter variations, surer members. It is worth nothing."""

from dataclasses import dataclass

from attacks.base import Attack, Scores, as_scores
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class Brightness(Attack):
    """Mean brightness of one variation. Costs 2 UNet rows, 1 encode, 1 decode."""

    access = Access.BLACK
    paper = "nobody, unpublished"

    strength: float = 0.5

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        varied = oracle.vary(candidates, strength=self.strength, steps=4, guidance_scale=1.0)
        return as_scores(varied.flatten(1).mean(1))
