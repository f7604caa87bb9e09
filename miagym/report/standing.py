"""How a row compares with chance and with the blind rows, in words."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.metrics.comparisons.multiplicity import auc_is_significant, tpr_is_significant
from miagym.report.family import AlarmFamily
from miagym.report.rows import blind_rows
from miagym.results import AttackRow, Interval
from miagym.results.formats import ALPHA, detection


def standings(
    row: AttackRow, group: Sequence[AttackRow], family: AlarmFamily | None = None
) -> list[str]:
    """How a row compares in AUC and then, where resolvable, in TPR.

    The lower end of its interval must clear the upper ends of all blind rows, and chance. That is
    stricter than a test of the difference, and so errs on the side of "not above". Of many that
    were tried, the luckiest clears chance by luck: it must do so as one of all in the run.

    Args:
        row: of `group`.
        group: the rows of its target and data.
        family: the rows of the run; by default the group is all of them.
    """
    family = family or AlarmFamily(group)
    blind = [] if row.blind else blind_rows(group)
    tried = family.tried(blind=row.blind)
    cis = [other.auc_ci for other in blind]
    significant = auc_is_significant(row.auc, row.auc_ci[0], tried)
    standings = [_standing(row.auc_ci, cis, 0.5, tried, significant)]
    if found := detection(row):
        cis = [other.ci for other in map(detection, blind) if other]
        significant = tpr_is_significant(found.tpr, found.fpr, *row.worth, tried)
        standings.append(_standing(found.ci, cis, float(ALPHA), tried, significant))
    return standings


def _standing(
    ci: Interval, blind: Sequence[Interval], chance: float, tried: int, significant: bool
) -> str:
    if blind and ci[0] <= max(other[1] for other in blind):
        return "not above blind"
    if ci[0] <= chance:
        return "not above chance"
    if not significant:
        return f"not above chance as one of {tried}" if tried > 1 else "not above chance"
    return "above blind" if blind else "above chance"


def remarks(
    row: AttackRow, group: Sequence[AttackRow], family: AlarmFamily | None = None
) -> tuple[str, ...]:
    """All there is to say of a row beside its numbers, a phrase each; its standing comes first."""
    family = family or AlarmFamily(group)
    in_auc, *rest = standings(row, group, family)
    if not rest:
        said = [f"{in_auc} in AUC"]
    elif in_auc == rest[0]:
        said = [in_auc]
    else:
        said = [f"{rest[0]} at 1 % FPR", f"{in_auc} in AUC"]
    if row.blind:
        if family.gives_away(row.data):
            said.append("the audit: the split itself gives members away")
    elif not blind_rows(group):
        said.append("no blind row to compare with")
    if row.same_as:
        said.append(f"the very scores of {row.same_as}")
    if row.reference:
        said.append("calibrated with a public reference model")
    if row.failed_controls:
        failed = ", ".join(row.failed_controls)
        said.append(f"FAILED CONTROL ({failed}): trust no number of this row")
    if not row.held_out:
        said.append(f"protocol: {row.protocol}")
    return tuple(said)


def remark(row: AttackRow, group: Sequence[AttackRow], family: AlarmFamily | None = None) -> str:
    """The same as a sentence without its full stop."""
    return "; ".join(remarks(row, group, family))
