"""Turned SimA: the predicted noise of the picture, less that of the picture turned."""

from __future__ import annotations

from dataclasses import dataclass, replace

from attacks.base import Attack, Scores
from attacks.grey_box.sima import SimA
from attacks.turned import Symmetry, Turned
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class TurnedSimA(Attack):
    """SimA's score of the picture less that of the picture turned: two rows, no reference model.

    Ours, described and measured in docs/evaluate/turned.md; `sima+turned` by a name of its own.

    Score: ||E(E_vae(gx), t, c)||_p - ||E(z0, t, c)||_p, averaged over symmetries g.

    Costs 1 + |g| UNet rows and 1 + |g| encodes.

    Args:
        timestep: t.
        norm: p.
        by: g, as in `attacks.turned`.
    """

    access = Access.GREY
    paper = "miagym, docs/evaluate/turned.md"

    timestep: int = 100
    norm: float = 4.0
    by: tuple[Symmetry, ...] = ("90",)

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        return Turned(SimA(self.timestep, self.norm), self.by)(oracle, candidates)

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 0, 50, 200))
