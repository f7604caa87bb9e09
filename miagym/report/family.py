"""All that a run looked at: whatever stands out must do so as one of so many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from miagym.auditing.verdict import AuditVerdict
from miagym.results import AttackRow, AuditRecord
from miagym.results.formats import detection


@dataclass(frozen=True, eq=False)
class AlarmFamily:
    """The rows of a run, of all its targets, and its audits.

    Args:
        rows: of all targets.
        audits: of all data sets, which alone say whether a split gives its members away.
    """

    rows: Sequence[AttackRow]
    audits: Sequence[AuditRecord] = ()

    def tried(self, *, blind: bool) -> int:
        """Alarms that there might be: rows that see the model, or blind ones, times measures.

        The AUC is one measure, and the TPR another where there are non-members enough for it. An
        attack counts once, whatever its protocols, and so do several with the very same scores.
        """
        rows = [row for row in self.rows if row.blind == blind and row.same_as is None]
        looks = {(row.target, row.data, row.attack, detection(row) is not None) for row in rows}
        return sum(2 if has_rate else 1 for *_, has_rate in looks)

    def gives_away(self, data: str | None) -> AuditRecord | None:
        """The audit that calls the split of this data set shifted, if one does."""
        shifted = (a for a in self.audits if a.data == data and a.verdict == AuditVerdict.SHIFTED)
        return next(shifted, None)
