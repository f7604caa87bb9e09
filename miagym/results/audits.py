"""What an audit measures of a split, as records."""

from __future__ import annotations

from pydantic import Field

from miagym.results.records import Interval, Measured, Record, Sample


class AuditView(Measured):
    """What one view of the data tells apart without any model."""

    view: str
    p: float


class AuditShift(Record):
    """Whether a view's two sides lie apart as a whole."""

    view: str
    test: str
    mmd2: float
    p: float


class AuditCue(Record):
    """A cue, and how far it alone tells the sides apart."""

    cue: str
    view: str
    kind: str
    members: float
    nonmembers: float
    auc: float
    auc_ci: Interval
    p: float


class AuditDuplicates(Record):
    """Rows that are alike, on each side and across."""

    of: str
    within_members: int
    within_nonmembers: int
    across: int
    examples: tuple[tuple[int, int], ...]
    files: tuple[tuple[str, str], ...] = ()
    """Of the examples, where the data name them all."""


class AuditUnreadable(Record):
    """Pictures that an audit had to skip, per side."""

    members: int
    nonmembers: int
    examples: tuple[str, ...]


class AuditRecord(Record):
    """The audit of the test part of one data set; what `miagym audit --json` prints."""

    schema_: int = Field(alias="schema")
    data: str
    verdict: str
    why: str
    n_members: int
    n_nonmembers: int
    blind: tuple[AuditView, ...]
    shift: tuple[AuditShift, ...]
    cues: tuple[AuditCue, ...]
    duplicates: tuple[AuditDuplicates, ...]
    unreadable: AuditUnreadable
    warnings: tuple[str, ...] = ()
    """What is odd about captions, and what lies beside the pictures."""
    seed: int
    drawn: Sample | None = None
    """The rows that were looked at, where there were more."""
