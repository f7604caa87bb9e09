"""Report of a fetch: link rot on each side, and whether it differs between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, fisher_exact

from miagym.data.fetch.request import FetchOutcome, FetchStatus

SIGNIFICANT = 0.05


def fetch_report(member: NDArray[np.bool_], outcomes: Sequence[FetchOutcome]) -> dict[str, Any]:
    """Reports outcomes per side with reasons, and a two-sided Fisher test of what was lost.

    Args:
        member: labels (n,).
        outcomes: of each link (n).

    Returns:
        By side the links and how many ended how; the share `lost` (all that is not fetched) with
        its 95 % Wilson interval; `p_value` of equal shares; `finding` in words.
    """
    sides = {
        word: _side([o for o, m in zip(outcomes, member, strict=True) if m == side])
        for word, side in (("members", True), ("nonmembers", False))
    }
    table = [[side["fetched"], side["links"] - side["fetched"]] for side in sides.values()]
    p_value = fisher_exact(np.array(table)).pvalue  # type: ignore[attr-defined]
    return {**sides, "p_value": float(p_value), "finding": _finding(sides, float(p_value))}


def _side(outcomes: Sequence[FetchOutcome]) -> dict[str, Any]:
    n, count = len(outcomes), Counter(outcome.kind for outcome in outcomes)
    interval = binomtest(n - count[FetchStatus.FETCHED], n).proportion_ci(method="wilson")
    reasons = Counter(f"{o.kind}: {o.why}" for o in outcomes if o.kind is not FetchStatus.FETCHED)
    return {
        "links": n,
        **{str(kind): count[kind] for kind in FetchStatus},
        "lost": 1 - count[FetchStatus.FETCHED] / n,
        "lost_ci": [float(interval.low), float(interval.high)],
        "reasons": dict(reasons.most_common()),
    }


def _finding(sides: dict[str, dict[str, Any]], p_value: float) -> str:
    lost = [side["lost"] for side in sides.values()]
    numbers = f"{lost[0]:.1%} against {lost[1]:.1%}, two-sided Fisher p = {p_value:.2g}"
    waiting = sum(side[FetchStatus.LATER] for side in sides.values())
    later = f" {waiting:,} links gave no answer yet and count as lost." if waiting else ""
    if p_value >= SIGNIFICANT:
        return f"Links of both sides are lost alike as far as can be told ({numbers}).{later}"
    more = "Members'" if lost[0] > lost[1] else "Non-members'"
    return f"{more} links rot more ({numbers}): that is itself a shift between the sides.{later}"
