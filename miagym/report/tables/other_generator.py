"""What stays of each attack's success when a different generator is asked, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miagym.report.model import Column, Line, Number, Table
from miagym.report.tables.evaluation import ATTACK, measured, number
from miagym.report.tables.statistics import grouped
from miagym.results import AttackRow, OnOther
from miagym.results.formats import estimate, p_text

TITLE = (
    "Another generator, asked about the same candidates: what is found there too, the split gives"
)
ALPHA = 0.05
READINGS = {
    (True, False): "not found there",
    (True, True): "found there too, but less",
    (False, True): "found there as well",
    (False, False): "nothing shown",
}
"""By whether more is found on the target, and whether the other finds anything."""


def other_table(found: Sequence[OnOther], rows: Sequence[AttackRow]) -> Table:
    """AUCs on the other generator, and what the target gives beyond; blind rows are as they were.

    Args:
        found: of the attacks that ask a model.
        rows: of the run.
    """
    columns = (
        ATTACK,
        Column("Asked instead"),
        measured("AUC on the target"),
        measured("AUC there"),
        measured("Difference"),
        Column("p, corrected", kind="number"),
        Column("So it is", kind="text"),
    )
    there = {(one.target, one.data, one.attack): one for one in found}
    nothing = Number("", None)
    asked = {(one.target, one.data): one for one in found}

    def lines(own: list[AttackRow]) -> Iterator[Line]:
        for row in own:
            one = there.get((row.target, row.data, row.attack))
            here = number(row.auc, row.auc_ci)
            if one is not None:
                is_more = one.more.difference > 0 and one.p_holm <= ALPHA
                difference = Number(
                    estimate(one.more.difference, one.more.ci, "+.3f"), one.more.difference
                )
                yield Line(
                    row.attack,
                    (
                        one.other,
                        here,
                        number(one.auc, one.auc_ci),
                        difference,
                        Number(p_text(one.p_holm), one.p_holm),
                        READINGS[is_more, one.there],
                    ),
                )
            elif row.blind:
                yield Line(row.attack, ("no model", here, here, nothing, nothing, ""), True)
            else:
                yield Line(row.attack, ("refused", here, nothing, nothing, nothing, ""))

    return Table(TITLE, columns, grouped([r for r in rows if (r.target, r.data) in asked], lines))
