"""Empirical epsilon: the least privacy loss that an attack's hits and false alarms are proof of."""

from __future__ import annotations

import math

from miagym.metrics.auc import Interval


def epsilon_at_least(tpr: Interval, fpr: Interval, delta: float = 0.0) -> float:
    """Lower bound of the epsilon of any (epsilon, delta)-differentially private training.

    Such a training keeps TPR <= e^eps FPR + delta, and 1 - FPR <= e^eps (1 - TPR) + delta (Kairouz,
    Oh & Viswanath 2015; audited so by Jagielski et al. 2020, arXiv 2006.07709). With the lower end
    of the TPR and the upper end of the FPR, each Clopper-Pearson at 95 %, two-sided, both hold in
    95 % of cases, and so does the bound: whatever epsilon was promised, it is at least this.

    The threshold must have been fixed on other candidates.

    Args:
        tpr: interval of the share of members called members.
        fpr: interval of the share of the others called members.
        delta: in [0, 1).

    Returns:
        Epsilon in nats, at least 0. It is never more than so many candidates can prove.

    Raises:
        ValueError: if delta is not in [0, 1).
    """
    if not 0 <= delta < 1:
        raise ValueError(f"Expected a delta in [0, 1), got {delta}.")
    hits, alarms = tpr[0], fpr[1]
    bounds = [0.0]
    for share, other in ((hits, alarms), (1 - alarms, 1 - hits)):
        if share > delta:
            bounds.append(math.inf if other == 0 else math.log((share - delta) / other))
    return max(bounds)
