"""What questions cost, who has been charged, and how much may be spent on one candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from miagym.errors import BudgetError, BudgetExhausted

BACKWARD_ROWS = 2
"""UNet rows that the way back through the UNet counts for, where one number is asked for."""


@dataclass(frozen=True)
class Cost:
    """What one question about one candidate costs. Batching and caching are never a discount."""

    queries: int = 0
    """Answers asked for."""
    unet_rows: int = 0
    """Latents through the UNet once; guidance doubles them."""
    encodes: int = 0
    """Images through the encoder."""
    decodes: int = 0
    """Latents through the decoder."""
    backward_rows: int = 0
    """Latents through the UNet backwards."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(a + b for a, b in zip(_numbers(self), _numbers(other), strict=True)))

    @property
    def price(self) -> int:
        """The cost in UNet rows, in which environments and the page count their budgets."""
        return self.unet_rows + BACKWARD_ROWS * self.backward_rows

    def __mul__(self, times: int) -> Cost:
        return Cost(*(a * times for a in _numbers(self)))

    __rmul__ = __mul__


_FIELDS = tuple(field.name for field in fields(Cost))
_numbers = attrgetter(*_FIELDS)
_NOTHING = np.zeros(len(_FIELDS), dtype=np.int64)


@dataclass(frozen=True)
class Budget:
    """The most that may be spent on one candidate; None is no limit.

    Raises:
        BudgetError: if a limit is below 1, which could never pay for a question.
    """

    queries: int | None = None
    unet_rows: int | None = None

    def __post_init__(self) -> None:
        for name in ("queries", "unet_rows"):
            limit = getattr(self, name)
            if limit is not None and (not isinstance(limit, int) or limit < 1):
                raise BudgetError(
                    f"A budget of {limit!r} {name.replace('_', ' ')} buys no answer; "
                    "expected a whole number from 1, or no limit at all."
                )

    @property
    def limits(self) -> NDArray[np.float64]:
        """The limit of each field of `Cost` (5,), infinite where there is none."""
        limits = (getattr(self, name, None) for name in _FIELDS)
        return np.array([np.inf if limit is None else limit for limit in limits])


class Meter:
    """Counts what has been spent on each candidate, and refuses what the budget does not cover.

    A charge is all or nothing: where one candidate cannot pay, none is charged.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = Budget() if budget is None else budget
        self._spent: dict[str, NDArray[np.int64]] = {}

    def charge(self, candidates: Sequence[str], cost: Cost) -> None:
        """Charges each named candidate once for each time that it is named.

        Raises:
            BudgetExhausted: if any of them cannot pay; then nothing is charged.
            BudgetError: if the cost is negative.
        """
        one = np.array(_numbers(cost), dtype=np.int64)
        if (one < 0).any():
            raise BudgetError(f"A cost is never negative, got {cost}.")
        ids, times = np.unique(np.asarray(candidates, dtype=str), return_counts=True)
        price = times[:, None] * one
        before = np.stack([self._row(i) for i in ids]) if len(ids) else np.zeros_like(price)
        over = (before + price > self.budget.limits).any(axis=0)
        if over.any():
            name = _FIELDS[int(np.flatnonzero(over)[0])]
            limit, used = getattr(self.budget, name), int(before[:, _FIELDS.index(name)].max())
            raise BudgetExhausted(
                f"This question costs {getattr(cost, name)} {name.replace('_', ' ')} a candidate, "
                f"and {used} of {limit} are spent; nothing was charged. "
                "Raise the budget, or ask less."
            )
        for i, row in zip(ids, before + price, strict=True):
            self._spent[str(i)] = row

    def spent(self, candidate: str) -> Cost:
        """What has been spent on one candidate so far."""
        return Cost(*map(int, self._row(candidate)))

    def total(self) -> Cost:
        """What has been spent on all candidates together."""
        return Cost(*map(int, sum(self._spent.values(), np.zeros(len(_FIELDS), dtype=np.int64))))

    def affordable(self, candidates: Sequence[str], cost: Cost) -> int | None:
        """How many times each of the candidates can pay this cost; None if without end."""
        price = np.array(_numbers(cost))
        limited = (price > 0) & np.isfinite(self.budget.limits)
        if not limited.any():
            return None
        spent = np.stack([self._row(i) for i in candidates])[:, limited]
        return int(((self.budget.limits[limited] - spent) // price[limited]).min())

    def _row(self, candidate: str) -> NDArray[np.int64]:
        return self._spent.get(str(candidate), _NOTHING)
