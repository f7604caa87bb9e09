"""What stands behind the rows as tables: controls, optimism, comparisons, distances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from miagym.metrics.controls import NULL_TARGET
from miagym.metrics.detection import not_resolvable
from miagym.report.model import Column, Group, Line, Number, Remarks, Table
from miagym.report.tables.evaluation import ATTACK, AUC, measured, number
from miagym.results import AttackRow, Comparison, Control, GeneratedShare, Optimism
from miagym.results.estimate import interval
from miagym.results.formats import (
    ALPHA,
    estimate,
    p_text,
    points,
    spread,
)

T = TypeVar("T", AttackRow, Control, Optimism, Comparison, GeneratedShare)

CONTROLS = "Controls, where there is nothing to find: AUC near 0.5, coverage near 95 %"


def grouped(records: Iterable[T], lines: Callable[[list[T]], Iterable[Line]]) -> tuple[Group, ...]:
    """The lines of records, target by target."""
    by_label: dict[str, list[T]] = {}
    for record in records:
        data = "" if record.data is None else f" ({record.data})"
        by_label.setdefault(f"{record.target}{data}", []).append(record)
    return tuple(Group(label, tuple(lines(own))) for label, own in by_label.items())


def control_summary(controls: Sequence[Control]) -> Table:
    """Controls, a line for each kind: how many passed, and which did not."""
    names = ("Attacks", "Mean AUC", "Lowest and highest")
    columns = (Column("Control"), *(Column(name, kind="number") for name in names))
    groups = grouped(controls, _summary)
    return Table(CONTROLS, (*columns, Column("Outcome", kind="text")), groups)


def _summary(controls: list[Control]) -> Iterable[Line]:
    kinds = list(dict.fromkeys(control.control for control in controls))
    for kind in kinds:
        own = [control for control in controls if control.control == kind]
        aucs = [control.auc for control in own]
        failed = [control.attack for control in own if not control.passed]
        outcome = "as it must be" if not failed else f"FAILED for {', '.join(failed)}"
        mean = sum(aucs) / len(aucs)
        numbers = (Number(str(len(own)), len(own)), Number(f"{mean:.3f}", mean))
        ends = Number(interval([min(aucs), max(aucs)]), None)
        yield Line(kind, (*numbers, ends, outcome))
    if NULL_TARGET not in kinds:
        missing = "not run: name a null target, which saw neither side"
        none = Number("", None)
        yield Line(NULL_TARGET, (Number("0", 0), none, none, missing))


def control_table(controls: Sequence[Control]) -> Table:
    """Controls, a line for each."""
    numbers = (
        AUC,
        Column("Coverage", kind="number"),
        Column("p of the true labels", kind="number"),
    )
    columns = (ATTACK, Column("Control"), Column("Passed"), *numbers)

    def lines(own: list[Control]) -> Iterable[Line]:
        for control in own:
            coverage, p = control.coverage, control.p_value
            held = "" if coverage is None else f"{100 * coverage:.1f} %"
            yield Line(
                control.attack,
                (
                    control.control,
                    "yes" if control.passed else "NO",
                    number(control.auc, control.auc_ci),
                    Number(held, coverage),
                    Number("" if p is None else p_text(p), p),
                ),
            )

    return Table(CONTROLS, columns, grouped(controls, lines))


def optimism_table(gaps: Sequence[Optimism]) -> Table:
    """The paper's optimistic protocol beside held-out choices, on the same draws."""
    columns = [ATTACK, Column("Candidates", is_detail=True), Column("Draws", is_detail=True)]
    columns += [Column("Variants", kind="number", is_detail=True)]
    columns += [
        Column("Paper: AUC", "(optimistic)", "number"),
        Column("Held-out: AUC", "", "number"),
    ]
    columns += [Column("Paper: TPR at 1 % FPR", "(optimistic)", "number")]
    columns += [Column("Held-out: TPR", "", "number"), Column("Optimism", "", "number")]
    columns += [Column("Chosen", kind="text")]
    title = "The paper's protocol (best variant on the same data: optimistic) and held-out choices"
    return Table(title, tuple(columns), grouped(gaps, lambda own: map(_optimism, own)))


def _optimism(gap: Optimism) -> Line:
    paper, ours = gap.paper, gap.held_out
    aucs = [Number(spread(each.auc), each.auc.mean) for each in (paper, ours)]
    if paper.tpr and ours.tpr:
        tprs = [Number(spread(tpr, in_percent=True), tpr.mean) for tpr in (paper.tpr, ours.tpr)]
        excess = paper.tpr.mean - ours.tpr.mean
        optimism = Number(f"{100 * excess:+.1f} points", excess)
    else:
        tprs = [Number("not resolvable", None)] * 2
        excess = paper.auc.mean - ours.auc.mean
        optimism = Number(f"{excess:+.3f} AUC", excess)
    chosen = [f"paper: {paper.chosen}", f"held-out: {ours.chosen}"]
    if paper.chosen == ours.chosen:
        chosen = [f"both: {paper.chosen}"]
    candidates = f"{gap.n_members} + {gap.n_nonmembers} ({gap.part})"
    draws = f"{gap.draws} of {gap.drawn} + {gap.drawn}"
    variants = Number(str(gap.variants), gap.variants)
    return Line(
        gap.attack, (candidates, draws, variants, *aucs, *tprs, optimism, Remarks((*chosen,)))
    )


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """Paired differences, attack by attack."""
    columns = (
        ATTACK,
        Column("Against"),
        Column("Which is the"),
        measured("Difference in AUC"),
        Column("p", kind="number"),
        Column("p, corrected", kind="number"),
        measured("Difference in TPR at 1 % FPR"),
    )
    groups = grouped(comparisons, lambda own: map(_comparison, own))
    return Table("Paired differences on the same candidates", columns, groups)


def _comparison(row: Comparison) -> Line:
    in_auc, in_tpr = row.auc, row.tpr_at_fpr[ALPHA]
    tpr = Number(not_resolvable(row.n_nonmembers), None)
    if in_tpr is not None:
        tpr = Number(points(in_tpr), in_tpr.difference, in_tpr.ci)
    auc = Number(estimate(in_auc.difference, in_auc.ci, "+.3f"), in_auc.difference, in_auc.ci)
    ps = (Number(p_text(p), p) for p in (in_auc.p, row.p_holm))
    return Line(row.attack, (row.against, row.kind, auc, *ps, tpr))


def distance_table(rows: Sequence[AttackRow]) -> Table:
    """Wasserstein distances of the scores, of rows that have one."""
    chance = Column("Below this in 95 % of label shuffles", kind="number")

    def lines(own: list[AttackRow]) -> Iterable[Line]:
        for row in own:
            if found := row.wasserstein:
                text = f"{found.value:.3g} {interval(found.ci, '.3g') if found.ci else '–'}"
                distance = Number(text, found.value, found.ci)
                yield Line(
                    row.attack, (distance, Number(f"{found.chance:.3g}", found.chance)), row.blind
                )

    having = [row for row in rows if row.wasserstein]
    title = "Wasserstein distance of members' and non-members' scores, in units of the score"
    return Table(title, (ATTACK, measured("Distance"), chance), grouped(having, lines))
