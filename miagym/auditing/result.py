"""Result of an audit, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.verdict import AuditVerdict
from miagym.results import (
    AuditCue,
    AuditDuplicates,
    AuditRecord,
    AuditShift,
    AuditUnreadable,
    AuditView,
    Sample,
)

SCHEMA = 1
NONE_UNREADABLE = AuditUnreadable(members=0, nonmembers=0, examples=())


@dataclass(frozen=True, eq=False)
class Audit:
    """Result of an audit: blind rows, shift, cues, duplicates, and the verdict.

    `as_json` gives the keys of `miagym audit --json`; docs/check/audit.md says how to read them.
    """

    data: str
    verdict: AuditVerdict
    why: str
    n_members: int
    n_nonmembers: int
    seed: int
    among: int = 1
    """How many data sets were audited together."""
    blind: tuple[AuditView, ...] = ()
    shift: tuple[AuditShift, ...] = ()
    cues: tuple[AuditCue, ...] = ()
    duplicates: tuple[AuditDuplicates, ...] = ()
    unreadable: AuditUnreadable = NONE_UNREADABLE
    warnings: tuple[str, ...] = ()
    """What is odd about captions, and what lies beside the pictures."""
    drawn: Sample | None = None
    """The rows that were looked at, where there were more."""
    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp), repr=False)
    """Rows that were looked at (n,): positions in what was given."""
    scores: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, 0), np.float32), repr=False
    )
    """How much each row looks like a member to each view (n, views), out of fold."""

    @property
    def record(self) -> AuditRecord:
        """All but the rows and their scores, as it stands in results.json."""
        own = {
            name: value
            for name, value in vars(self).items()
            if name in AuditRecord.model_fields and value is not None
        }
        return AuditRecord(schema=SCHEMA, **own)

    def as_json(self) -> dict[str, Any]:
        return self.record.as_json()
