"""How a row compares with chance and with the blind rows, in words."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.metrics.multiplicity import auc_is_significant, tpr_is_significant
from miagym.report.rows import (
    ALPHA,
    FAIR,
    Row,
    asking_rows,
    blind_rows,
    detection,
    is_blind,
    names_in,
)


def standings(row: Row, group: Sequence[Row]) -> list[str]:
    """How a row compares in AUC and then, where resolvable, in TPR.

    The lower end of its interval must clear the upper ends of all blind rows, and chance. That is
    stricter than a test of the difference, and so errs on the side of "not above". Of many that
    were tried, the luckiest clears chance by luck: it must do so as one of so many.
    """
    blind = [] if is_blind(row) else blind_rows(group)
    tried = names_in(blind_rows(group) if is_blind(row) else asking_rows(group))
    cis = [other["auc_ci"] for other in blind]
    standings = [_standing(row["auc_ci"], cis, 0.5, tried, auc_is_significant(row, tried))]
    if found := detection(row):
        cis = [other["ci"] for other in map(detection, blind) if other]
        surprises = tpr_is_significant(row, found, tried)
        standings.append(_standing(found["ci"], cis, float(ALPHA), tried, surprises))
    return standings


def _standing(
    ci: Sequence[float],
    blind: Sequence[Sequence[float]],
    chance: float,
    tried: int,
    surprises: bool,
) -> str:
    if blind and ci[0] <= max(other[1] for other in blind):
        return "not above blind"
    if ci[0] <= chance:
        return "not above chance"
    if not surprises:
        return f"not above chance as one of {tried}" if tried > 1 else "not above chance"
    return "above blind" if blind else "above chance"


def remark(row: Row, group: Sequence[Row]) -> str:
    in_auc, *rest = standings(row, group)
    if not rest:
        remarks = [f"{in_auc} in AUC"]
    elif in_auc == rest[0]:
        remarks = [in_auc]
    else:
        remarks = [f"{rest[0]} at 1 % FPR", f"{in_auc} in AUC"]
    if is_blind(row):
        if any(remark.startswith("above") for remark in remarks):
            remarks.append("the split itself gives members away")
    elif not blind_rows(group):
        remarks.append("no blind row to compare with")
    if row["attack"].endswith("+reference"):
        remarks.append("calibrated with a public reference model")
    if failed := row.get("failed_controls"):
        remarks.append(f"FAILED CONTROL ({', '.join(failed)}): trust no number of this row")
    if row["protocol"] != FAIR:
        remarks.append(f"protocol: {row['protocol']}")
    return "; ".join(remarks)
