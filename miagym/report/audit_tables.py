"""An audit as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from miagym.auditing.cues import Cue
from miagym.auditing.duplicates import Duplicates
from miagym.auditing.result import Audit
from miagym.metrics.measure import Detection

ALPHA = 0.01


def audit_tables(audit: Audit) -> Iterator[Table]:
    """The blind rows and the most telling cues, as far as there are any."""
    if audit.blind:
        yield _blind_table(audit)
    if audit.cues:
        yield _cue_table(audit)


def remarks(audit: Audit) -> Iterator[str]:
    """What else was found, a sentence each."""
    for found in audit.duplicates:
        yield from _told(found)
    skipped = audit.unreadable
    if skipped.members or skipped.nonmembers:
        yield (
            f"Skipped pictures that cannot be read: {skipped.members:,} of {audit.n_members:,} "
            f"members, {skipped.nonmembers:,} of {audit.n_nonmembers:,} non-members."
        )
        yield from skipped.examples


def _blind_table(audit: Audit) -> Table:
    n = f"{audit.n_members:,} members, {audit.n_nonmembers:,} non-members"
    table = Table(title=f"Without a model ({n})", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("view")
    for heading in ("AUC [95 %]", "TPR@1%FPR [95 %]", "p", "p of the shift test"):
        table.add_column(heading, justify="right", no_wrap=True)
    shift = {row.view: f"{row.p:.3f}" for row in audit.shift}
    for row in audit.blind:
        table.add_row(
            row.view,
            _with_interval(row.metrics.auc, row.metrics.auc_ci),
            _detection(row.metrics.tpr_at_fpr[ALPHA], row.metrics.n_nonmembers),
            f"{row.p:.3f}",
            shift.get(row.view, ""),
        )
    return table


def _cue_table(audit: Audit) -> Table:
    table = Table(title="Most telling cues, each alone", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("cue", overflow="fold")
    for heading in ("members", "non-members", "AUC [95 %]", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cue in audit.cues:
        table.add_row(
            escape(cue.cue),
            _side(cue, cue.members),
            _side(cue, cue.nonmembers),
            _with_interval(cue.auc, cue.auc_ci),
            f"{cue.p:.3f}",
        )
    return table


def _side(cue: Cue, value: float) -> str:
    return f"{100 * value:.1f} %" if cue.kind == "share" else f"median {value:.4g}"


def _with_interval(value: float, ci: tuple[float, float]) -> str:
    return escape(f"{value:.3f} [{ci[0]:.3f}, {ci[1]:.3f}]")


def _detection(found: Detection | None, n_nonmembers: int) -> str:
    if found is None:
        return f"not resolvable, n = {n_nonmembers}"
    low, high = (100 * end for end in found.ci)
    return escape(f"{100 * found.point.tpr:.1f} % [{low:.1f}, {high:.1f}]")


def _told(found: Duplicates) -> Iterator[str]:
    if found.across:
        shown = ", ".join(f"{ours} and {theirs}" for ours, theirs in found.examples)
        more = ", …" if found.across > len(found.examples) else ""
        disguise = (
            "They are members in disguise: leave them out."
            if found.of == "pictures"
            else "The same words may stand for other pictures."
        )
        yield (
            f"Near-duplicate {found.of} across the sides: {found.across:,} non-members have one "
            f"among the members (rows {shown}{more}). {disguise}"
        )
    if found.within_members or found.within_nonmembers:
        yield (
            f"Near-duplicate {found.of} on one side: {found.within_members:,} members, "
            f"{found.within_nonmembers:,} non-members."
        )
