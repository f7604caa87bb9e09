"""The rows of a run as tables: all numbers, and what thresholds do that were fixed beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from miagym.report.family import AlarmFamily
from miagym.report.model import Cell, Column, Group, Line, Number, Remarks, Table
from miagym.report.power import could_tell
from miagym.report.rows import Groups
from miagym.report.standing import remarks
from miagym.results import AttackRow, AtThreshold, AuditRecord, Interval, Measured
from miagym.results.formats import ALPHA, count, detected, estimate, rate, sizes

WITH_INTERVAL = "[95 % interval]"
ATTACK = Column("Attack")
AUC = Column("AUC", WITH_INTERVAL, "number")
VARIANTS = "Chosen variant"
EFFECTIVE = ("Effective members", "Effective non-members")
TARGET = "Target"


def measured(name: str) -> Column:
    """A column of numbers with their intervals."""
    return Column(name, WITH_INTERVAL, "number")


def number(value: float, ci: Interval) -> Number:
    """Such as an AUC."""
    return Number(estimate(value, ci), value, ci)


def share(value: float, ci: Interval) -> Number:
    """A share in [0, 1], shown in percent."""
    return Number(rate(value, ci), value, ci)


def detected_share(row: Measured, alpha: str = ALPHA) -> Number:
    """The TPR of a row, or that so few non-members do not give one."""
    found = row.tpr_at_fpr.get(alpha)
    return share(found.tpr, found.ci) if found else Number(detected(row, alpha), None)


def main_table(groups: Groups, audits: Sequence[AuditRecord] = ()) -> Table:
    """All attacks of all targets, blind rows among them.

    Columns of what nobody knows, as of scores from elsewhere, are left out.
    """
    rows = [row for group in groups.values() for row in group]
    family = AlarmFamily(rows, audits)
    seen = {alpha for row in rows for alpha, found in row.tpr_at_fpr.items() if found}
    alphas = sorted({ALPHA, *seen}, key=float, reverse=True)
    columns = [ATTACK, Column("Access")]
    columns += [Column("Queries", kind="number"), Column("UNet rows", kind="number"), AUC]
    for alpha in alphas:
        allowed = f"{100 * float(alpha):g} %"
        reached = "FPR reached" if alpha == ALPHA else f"FPR reached, of {allowed}"
        columns.append(measured(f"TPR at {allowed} FPR"))
        columns.append(Column(reached, kind="number", is_detail=True))
    columns += [Column(name, kind="number", is_detail=True) for name in EFFECTIVE]
    columns += [Column(VARIANTS, kind="text", is_detail=True), Column("Remark", kind="text")]
    bodies = []
    for label, group in groups.items():
        each = sorted({(row.n_members, row.n_nonmembers) for row in group})
        size = " or ".join(sizes(*pair) for pair in each)
        lines = tuple(
            Line(row.attack, (*_cells(row, alphas, group, family),), row.blind) for row in group
        )
        data = "" if group[0].data is None else f" ({group[0].data})"
        power = could_tell(group, family)
        bodies.append(Group(label, lines, f"{data}: {size}; {power}"))
    table = Table("All attacks", tuple(columns), tuple(bodies), TARGET)
    known = {
        "Access": any(row.access for row in rows),
        "Queries": any(row.queries is not None for row in rows),
        "UNet rows": any(row.unet_rows is not None for row in rows),
        **dict.fromkeys(EFFECTIVE, any(row.effective_members for row in rows)),
        VARIANTS: any(row.chosen for row in rows),
    }
    return table.without(*(name for name, is_known in known.items() if not is_known and rows))


def _cells(
    row: AttackRow, alphas: Sequence[str], group: Sequence[AttackRow], family: AlarmFamily
) -> Iterator[Cell]:
    yield row.access or ""
    for spent in (row.queries, row.unet_rows):
        yield Number("" if spent is None else count(spent), spent)
    yield number(row.auc, row.auc_ci)
    for alpha in alphas:
        yield detected_share(row, alpha)
        found = row.tpr_at_fpr.get(alpha)
        yield Number(f"{100 * found.fpr:.2f} %", found.fpr) if found else Number("", None)
    for worth in row.worth:
        yield Number("", None) if row.effective_members is None else Number(f"{worth:,.0f}", worth)
    yield row.chosen or ""
    yield Remarks(remarks(row, group, family))


def threshold_table(groups: Groups) -> Table:
    """What thresholds do on the test part that the calibration part has set."""
    names = ("TPR", "FPR", "Balanced accuracy")
    columns = (ATTACK, Column("Threshold set for"), *map(measured, names))
    bodies = []
    for label, group in groups.items():
        lines = [
            line for row in group if row.at_threshold for line in _thresholds(row, row.at_threshold)
        ]
        if lines:
            bodies.append(Group(label, tuple(lines)))
    title = "Thresholds fixed on the calibration part, on the test part"
    return Table(title, columns, tuple(bodies), TARGET)


def _thresholds(row: AttackRow, fixed: Mapping[str, AtThreshold]) -> Iterator[Line]:
    for kind, at in fixed.items():
        meant = "best balanced accuracy" if kind == "balanced" else f"{100 * float(kind):g} % FPR"
        cells = (share(at.tpr, at.tpr_ci), share(at.fpr, at.fpr_ci))
        accuracy = number(at.balanced_accuracy, at.balanced_accuracy_ci)
        yield Line(row.attack, (meant, *cells, accuracy), row.blind)
    if ALPHA not in fixed:
        none = Number("calibration part too small", None)
        yield Line(row.attack, ("1 % FPR", none, none, none), row.blind)
