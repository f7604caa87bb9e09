"""A number that is never shown without its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

Interval = tuple[float, float]


def interval(ends: Sequence[float], form: str = ".3f") -> str:
    """The ends of an interval: "[0.955–0.979]"."""
    return f"[{ends[0]:{form}}\N{EN DASH}{ends[1]:{form}}]"


class Estimate(float):
    """A measured number; `ci` is its 95 % interval, and both are printed.

    >>> auc = Estimate(0.969, (0.955, 0.979))
    >>> auc
    0.969 [0.955–0.979]
    >>> auc > 0.9, auc.ci
    (True, (0.955, 0.979))
    """

    ci: Interval

    def __new__(cls, value: float, ci: Interval) -> Self:
        made = super().__new__(cls, value)
        made.ci = (float(ci[0]), float(ci[1]))
        return made

    def __getnewargs__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> tuple[float, Interval]:
        return float(self), self.ci

    def __repr__(self) -> str:
        return f"{float(self):.3f} {interval(self.ci)}"

    __str__ = __repr__
