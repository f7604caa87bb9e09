"""What is stated about scores, held against the scores themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miagym.metrics.auc import Interval
from miagym.metrics.detection import tpr_interval
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.stated import Stated, Statement
from miagym.scorefile.warned import Warned


def stated_warnings(statement: Statement, attacks: Sequence[AttackScores]) -> Iterator[Warned]:
    """What cannot be true of any scores, and what is not true of these.

    A number is refuted by the file if it lies outside the 95 % interval of every attack in it.
    """
    if statement.impossible is not None:
        yield Warned("stated-impossible", statement.impossible)
    if statement.auc is not None:
        intervals = {attack.label: attack.test.auc_interval for attack in attacks}
        yield from _outside("AUC", statement.auc, intervals)
    if statement.tpr is None or statement.fpr is None:
        return
    alpha, fpr = statement.fpr.value, statement.fpr.text
    found = {
        a.label: tpr_interval(*a.test.sides, alpha, groups=a.test.sides_groups) for a in attacks
    }
    intervals = {label: ci for label, ci in found.items() if ci is not None}
    if intervals:
        yield from _outside(f"TPR at an FPR of {fpr}", statement.tpr, intervals)
        return
    n = max(len(attack.test.sides[1]) for attack in attacks)
    yield Warned(
        "stated-unresolvable",
        f"A TPR at an FPR of {fpr} cannot be read from {n:,} non-members, whose finest FPR is "
        f"1/{n:,}; it takes at least {_least(alpha):,}.",
    )


def _outside(what: str, stated: Stated, intervals: dict[str, Interval]) -> Iterator[Warned]:
    low, high = stated.ends
    if any(low <= ci[1] and high >= ci[0] for ci in intervals.values()):
        return
    found = ", ".join(f"{name}: [{ci[0]:.3f}, {ci[1]:.3f}]" for name, ci in intervals.items())
    yield Warned(
        "stated-outside",
        f"The stated {what} of {stated.text} is not what these scores give (95 % interval of "
        f"{found}).",
    )


def _least(alpha: float) -> int:
    """The fewest non-members that resolve an FPR: the smallest n with 1/n <= alpha."""
    n = int(1 / alpha)
    return n if 1 / n <= alpha else n + 1
