"""Base of black-box attacks: pictures are asked for, one a query, and compared."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, Scores, as_scores, require_positive
from miagym.oracle import Access, BudgetExhausted, Candidates, Cost, Oracle, metered_cost


@dataclass(frozen=True)
class BlackBoxAttack(Attack):
    """Asks for `draws` pictures of each candidate, or for as many as the budget allows."""

    access = Access.BLACK

    draws: int = 2

    def __post_init__(self) -> None:
        require_positive(self, "draws")

    @abstractmethod
    def picture(self, oracle: Oracle, candidates: Candidates, draw: int) -> Tensor:
        """One answer for each candidate (n, 3, size, size) in [0, 1]."""

    @abstractmethod
    def distance(self, pictures: Tensor, candidates: Tensor) -> Tensor:
        """How far answers (draws, n, 3, h, w) are from candidates (n, 3, h, w): (n,)."""

    @property
    def query(self) -> Cost:
        """What one picture costs, in a dry run: it says how many draws a budget affords."""
        return metered_cost(self, lambda oracle, few: self.picture(oracle, few, 0))

    @property
    def cost(self) -> Cost:
        return self.query * self.draws

    def within(self, queries: int) -> Self:
        return replace(self, draws=queries)

    def anytime(self, oracle: Oracle, candidates: Candidates) -> dict[int, Scores]:
        """Scores after 1, 2, 4, ... pictures and after all of them, from one run.

        The first k pictures are those of the same attack with `draws=k`, and so are its scores.
        """
        draws = self._affordable(oracle, candidates)
        pictures = torch.stack([self.picture(oracle, candidates, i) for i in range(draws)])
        x = oracle.pixels(candidates)
        return {k: as_scores(-self.distance(pictures[:k], x)) for k in doublings(draws)}

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        return list(self.anytime(oracle, candidates).values())[-1]

    def _affordable(self, oracle: Oracle, candidates: Candidates) -> int:
        left = {oracle.meter.affordable([key], self.query) for key in candidates.keys}
        if len(left) > 1:
            # The poorest would decide how often all others are asked about.
            raise BudgetExhausted(
                "Some candidates have less of their budget left than others; ask about those apart."
            )
        affordable = next(iter(left), None)
        draws = self.draws if affordable is None else min(self.draws, affordable)
        if draws < 1:
            raise BudgetExhausted(
                f"The budget does not cover one picture a candidate, which costs {self.query}."
            )
        return draws


def doublings(last: int) -> list[int]:
    """1, 2, 4, ... below `last`, then `last`."""
    return [*(2**i for i in range((last - 1).bit_length())), last]
