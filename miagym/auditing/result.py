"""Result of an audit, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.cues import Cue
from miagym.auditing.duplicates import Duplicates
from miagym.auditing.verdict import AuditVerdict, BlindRow


@dataclass(frozen=True)
class Shift:
    """Test of whether a view's two sides lie apart as a whole."""

    view: str
    mmd2: float
    """Squared maximum mean discrepancy; about 0 where both sides are drawn alike."""
    p: float
    """How often any test of the audit is as extreme in a fair split."""

    def as_row(self) -> dict[str, Any]:
        return {"view": self.view, "test": "mmd", "mmd2": self.mmd2, "p": self.p}


@dataclass(frozen=True)
class Unreadable:
    """Pictures that were skipped: how many of each side, and the first few by name."""

    members: int = 0
    nonmembers: int = 0
    examples: tuple[str, ...] = ()

    def as_row(self) -> dict[str, Any]:
        return {
            "members": self.members,
            "nonmembers": self.nonmembers,
            "examples": list(self.examples),
        }


@dataclass(frozen=True, eq=False)
class Audit:
    """Result of an audit: blind rows, shift, cues, duplicates, and the verdict.

    `as_json` gives the keys of `miagym audit --json`; docs/audit.md says how to read them.
    """

    data: str
    verdict: AuditVerdict
    why: str
    n_members: int
    n_nonmembers: int
    seed: int
    blind: tuple[BlindRow, ...] = ()
    shift: tuple[Shift, ...] = ()
    cues: tuple[Cue, ...] = ()
    duplicates: tuple[Duplicates, ...] = ()
    unreadable: Unreadable = Unreadable()
    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp), repr=False)
    """Rows that were looked at (n,): positions in what was given."""
    scores: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, 0), np.float32), repr=False
    )
    """How much each row looks like a member to each view (n, views), out of fold."""

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "data": self.data,
            "verdict": self.verdict.value,
            "why": self.why,
            "n_members": self.n_members,
            "n_nonmembers": self.n_nonmembers,
            "blind": [row.as_row() for row in self.blind],
            "shift": [row.as_row() for row in self.shift],
            "cues": [row.as_row() for row in self.cues],
            "duplicates": [row.as_row() for row in self.duplicates],
            "unreadable": self.unreadable.as_row(),
            "seed": self.seed,
        }
