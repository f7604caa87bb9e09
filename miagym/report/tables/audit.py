"""An audit as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from miagym.auditing.cues import cue_in_words
from miagym.auditing.result import Audit
from miagym.report.model import Column, Group, Line, Number, Table
from miagym.report.tables.evaluation import AUC, detected_share, measured, number
from miagym.results import AuditCue, AuditDuplicates, AuditRecord
from miagym.results.formats import p_text, sizes

ALARM = 0.05
"""Cues with a larger p-value (corrected for all cues) are not named."""
MAX_NAMED = 5
"""Most cues of one split that the report names."""
P = Column("p", kind="number")


def audit_parts(audit: Audit) -> Iterator[Table | str]:
    """All that an audit found, in the order in which it is read."""
    record = audit.record
    yield f"{record.data} is {record.verdict}. {record.why}"
    yield from audit_tables([record])
    yield from audit_remarks(record)


def audit_tables(audits: Sequence[AuditRecord]) -> Iterator[Table]:
    """The blind rows and the most telling cues, as far as there are any."""
    found = (views_table(audits), cues_table(audits))
    return (table for table in found if table)


def views_table(audits: Sequence[AuditRecord]) -> Table:
    """What each view of the data tells apart without any model."""
    groups = []
    for audit in audits:
        shift = {row.view: Number(p_text(row.p), row.p) for row in audit.shift}
        lines = (
            Line(
                row.view,
                (
                    number(row.auc, row.auc_ci),
                    detected_share(row),
                    Number(p_text(row.p), row.p),
                    shift.get(row.view, Number("", None)),
                ),
            )
            for row in audit.blind
        )
        size = sizes(audit.n_members, audit.n_nonmembers)
        groups.append(Group(audit.data, tuple(lines), f": {size}"))
    columns = (Column("View"), AUC, measured("TPR at 1 % FPR"), P)
    shifted = Column("p of the shift test", kind="number")
    return Table("Without a model", (*columns, shifted), tuple(groups))


def cues_table(audits: Sequence[AuditRecord]) -> Table:
    """The most telling cues, each alone."""
    groups = (Group(audit.data, tuple(map(_cue, audit.cues))) for audit in audits if audit.cues)
    sides = (Column("Members", kind="number"), Column("Non-members", kind="number"))
    return Table("Most telling cues, each alone", (Column("Cue"), *sides, AUC, P), tuple(groups))


def _cue(cue: AuditCue) -> Line:
    sides = [
        Number(f"{100 * side:.1f} %" if cue.kind == "share" else f"median {side:.4g}", side)
        for side in (cue.members, cue.nonmembers)
    ]
    return Line(cue.cue, (*sides, number(cue.auc, cue.auc_ci), Number(p_text(cue.p), cue.p)))


def cues_in_words(audit: AuditRecord) -> list[str]:
    """The cues that tell the sides apart beyond chance, the strongest first."""
    telling = [cue for cue in audit.cues if cue.p < ALARM][:MAX_NAMED]
    return [cue_in_words(cue) for cue in telling]


def audit_remarks(audit: AuditRecord) -> Iterator[str]:
    """What else was found, a sentence each."""
    if audit.drawn:
        yield f"Looked at {audit.drawn}."
    yield from (f"Warning: {warning}" for warning in audit.warnings)
    for found in audit.duplicates:
        yield from _duplicates(found)
    skipped = audit.unreadable
    if skipped.members or skipped.nonmembers:
        yield (
            f"Skipped pictures that cannot be read: {skipped.members:,} of {audit.n_members:,} "
            f"members, {skipped.nonmembers:,} of {audit.n_nonmembers:,} non-members."
        )
        yield from skipped.examples


def _duplicates(found: AuditDuplicates) -> Iterable[str]:
    if found.across:
        pairs = found.files or found.examples
        shown = ", ".join(f"{ours} and {theirs}" for ours, theirs in pairs)
        more = ", …" if found.across > len(found.examples) else ""
        disguise = (
            "They are members in disguise: leave them out."
            if found.of == "pictures"
            else "The same words may stand for other pictures."
        )
        yield (
            f"Near-duplicate {found.of} across the sides: {found.across:,} non-members have one "
            f"among the members ({'' if found.files else 'rows '}{shown}{more}). {disguise}"
        )
    if found.within_members or found.within_nonmembers:
        yield (
            f"Near-duplicate {found.of} on one side: {found.within_members:,} members, "
            f"{found.within_nonmembers:,} non-members."
        )
