"""What the candidates of a target could have told from chance, in words."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from miagym.metrics.power import smallest_auc, smallest_tpr
from miagym.report.family import AlarmFamily
from miagym.report.rows import asking_rows
from miagym.results import AttackRow
from miagym.results.formats import ALPHA


def could_tell(group: Sequence[AttackRow], family: AlarmFamily) -> str:
    """The smallest AUC and TPR that so many candidates tell from chance: "... with 80 % power".

    Where candidates come in groups, they count as so many independent ones as they are worth to the
    attack in the middle.
    """
    rows = asking_rows(group) or list(group)
    sizes = zip(*(row.worth for row in rows), strict=True)
    members, nonmembers = (median(each) for each in sizes)
    # None, where the only row that sees the model has the very scores of a blind one.
    tried = max(1, family.tried(blind=rows[0].blind))
    auc = smallest_auc(members, nonmembers, tried)
    tpr = smallest_tpr(members, nonmembers, float(ALPHA), tried)
    in_auc = "no AUC" if auc is None else f"an AUC of {auc:.2f}"
    in_tpr = "no TPR at 1 % FPR" if tpr is None else f"a TPR of {100 * tpr:.1f} % at 1 % FPR"
    both = f"{in_auc} and {in_tpr}"
    if (auc is None) != (tpr is None):
        both = f"{in_auc}, but {in_tpr},"
    return f"{both} would have shown with 80 % power"
