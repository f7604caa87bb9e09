"""Numbers as people read them: each kind is written in one way, wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from miagym.metrics.detection import not_resolvable
from miagym.results.controls import Difference, Spread
from miagym.results.estimate import Interval, interval
from miagym.results.records import Detection, Measured

ALPHA = "0.01"
"""The FPR at which attacks are compared, as results.json spells it."""


def estimate(value: float, ci: Interval, form: str = ".3f") -> str:
    """A number with its interval: "0.969 [0.955–0.979]"."""
    return f"{value:{form}} {interval(ci, form)}"


def rate(value: float, ci: Interval) -> str:
    """A share in percent with its interval: "65.1 % [46.2–76.2]"."""
    return f"{100 * value:.1f} % {interval([100 * end for end in ci], '.1f')}"


def detected(row: Measured, alpha: str = ALPHA) -> str:
    """A row's TPR with its interval, or why it has none: nothing is finer than 1/n non-members."""
    found = row.tpr_at_fpr.get(alpha)
    return rate(found.tpr, found.ci) if found else not_resolvable(row.n_nonmembers)


def detection(row: Measured) -> Detection | None:
    """A row's TPR at 1 % FPR; None where there are too few non-members."""
    return row.tpr_at_fpr.get(ALPHA)


def points(difference: Difference) -> str:
    """A difference of shares in percentage points: "-2.4 [-4.6–-0.8] points"."""
    ends = interval([100 * end for end in difference.ci], "+.1f")
    return f"{100 * difference.difference:+.1f} {ends} points"


def spread(found: Spread, *, in_percent: bool = False) -> str:
    """Mean and standard deviation: "0.571 ± 0.037" or "12.3 ± 1.4 %"."""
    if in_percent:
        return f"{100 * found.mean:.1f} ± {100 * found.std:.1f} %"
    return f"{found.mean:.3f} ± {found.std:.3f}"


def percent(share: float) -> str:
    """A share in [0, 1] in two digits, and in four near 1: "2.5 %"."""
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.4g} %"


def p_text(p: float) -> str:
    """A p-value in two digits."""
    return f"{p:.2g}" if p > 0 else "0 (below what can be computed)"


def count(value: float) -> str:
    """A number of queries or rows."""
    return f"{value:,.1f}".removesuffix(".0")


def sizes(n_members: int, n_nonmembers: int) -> str:
    """How many candidates there are of each side."""
    return f"{n_members:,} members and {n_nonmembers:,} non-members"


def between(ends: Sequence[float], text: Callable[[float], str]) -> str:
    """The ends of an interval, each as `text` writes it: "[2 %–3.1 %]"."""
    return f"[{text(ends[0])}\N{EN DASH}{text(ends[1])}]"
