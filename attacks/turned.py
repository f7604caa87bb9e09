"""The picture turned is its own reference: as hard for the model, and never trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attacks.base import Attack, Scores
from attacks.wrapped import Rescored
from miagym.oracle import Access, AttackError, Candidates, Cost, Oracle

Symmetry = Literal["90", "180", "270", "mirror", "flip", "colours"]
Images = NDArray[np.uint8]
"""(n, height, width, 3)."""

SYMMETRIES: Mapping[Symmetry, Callable[[Images], Images]] = {
    "90": lambda images: np.rot90(images, 1, (1, 2)),
    "180": lambda images: np.rot90(images, 2, (1, 2)),
    "270": lambda images: np.rot90(images, 3, (1, 2)),
    "mirror": lambda images: images[:, :, ::-1],
    "flip": lambda images: images[:, ::-1],
    "colours": lambda images: images[..., [1, 2, 0]],
}
"""Turns anticlockwise in degrees; left for right; top for bottom; red, green, blue moved on."""

FLOOR = 1e-6
"""The smallest distance that is divided by."""


def turned(candidates: Candidates, symmetry: Symmetry) -> Candidates:
    """The candidates under a symmetry; the originals pay for them, under the originals' noise."""
    images = np.ascontiguousarray(SYMMETRIES[symmetry](candidates.images))
    return candidates.with_images(images)


@dataclass(frozen=True)
class Turned(Rescored):
    """Any attack's score less the same attack's score on the picture turned, under the same noise.

    Ours; difficulty calibration (Watson et al., ICLR 2022, arXiv 2111.08440) without a reference
    model. A picture and its turn have the same colours, edges and complexity, so what makes one
    easy for every model makes the other easy; training saw one of them. Where training mirrored,
    or turned, its pictures, that symmetry is no reference: choose another.

    Score: s(x) - mean over g of s(gx); as a ratio, mean over g of log(s(gx) / s(x)), for attacks
    whose scores are distances with a minus sign.

    Costs what the attack does, 1 + |g| times.

    Args:
        attack: what is asked about both.
        by: g.
        ratio: whether distances are divided and not subtracted.
    """

    paper = "miagym, docs/evaluate/turned.md"

    by: tuple[Symmetry, ...] = ("90",)
    ratio: bool = False

    def __post_init__(self) -> None:
        if self.attack.access == Access.BLIND:
            raise AttackError(
                f"{type(self.attack).__name__} asks no model, so that a picture turned tells it "
                "nothing; use +turned on an attack that does."
            )
        wrong = [g for g in self.by if g not in SYMMETRIES] if self.by else ["none"]
        if wrong:
            raise AttackError(
                f"Expected some of the symmetries {', '.join(SYMMETRIES)}, got {wrong[0]}."
            )

    @property
    def cost(self) -> Cost:
        return self.attack.cost * (1 + len(self.by))

    def anytime(self, oracle: Oracle, candidates: Candidates) -> dict[int, Scores]:
        attack = self._affordable(oracle, candidates)
        own = attack.anytime(oracle, candidates)
        others = [attack.anytime(oracle, turned(candidates, g)) for g in self.by]
        return {
            queries * (1 + len(self.by)): np.mean(
                [self._gain(own[queries], other[queries]) for other in others], axis=0
            )
            for queries in own
        }

    def within(self, queries: int) -> Turned:
        return replace(self, attack=self.attack.within(max(1, queries // (1 + len(self.by)))))

    def _affordable(self, oracle: Oracle, candidates: Candidates) -> Attack:
        """The attack with a share of the queries that are left, where a budget limits them."""
        keys = candidates.keys
        left = oracle.meter.affordable(keys, Cost(queries=1)) if keys else None
        return self.attack if left is None else self.within(min(left, self.cost.queries)).attack

    def _gain(self, own: Scores, other: Scores) -> Scores:
        if not self.ratio:
            return own - other
        if max(own.max(), other.max()) > 0:
            raise AttackError(
                f"{type(self.attack).__name__} has scores above 0, which are no distances with a "
                "minus sign; leave out `ratio`."
            )
        return np.log(np.maximum(-other, FLOOR)) - np.log(np.maximum(-own, FLOOR))
