"""What is measured, as typed records: the content of results.json, field by field.

Every reader of a run (report, page, front door) takes these, so that what is said of a row rests on
a field of it and never on its name.
"""

from miagym.results.audits import (
    AuditCue,
    AuditDuplicates,
    AuditRecord,
    AuditShift,
    AuditUnreadable,
    AuditView,
)
from miagym.results.controls import (
    Comparison,
    Control,
    Difference,
    GeneratedShare,
    OnOther,
    Optimism,
    Outcome,
    Spread,
)
from miagym.results.estimate import Estimate
from miagym.results.records import (
    HELD_OUT,
    About,
    AttackRow,
    AtThreshold,
    BudgetPoint,
    Detection,
    Distance,
    Interval,
    Measured,
    Record,
    Sample,
)
from miagym.results.run import SCHEMA, DataSeen, Doubt, Results, RunAbout, Skipped, Unreadable

__all__ = [
    "HELD_OUT",
    "SCHEMA",
    "About",
    "AtThreshold",
    "AttackRow",
    "AuditCue",
    "AuditDuplicates",
    "AuditRecord",
    "AuditShift",
    "AuditUnreadable",
    "AuditView",
    "BudgetPoint",
    "Comparison",
    "Control",
    "DataSeen",
    "Detection",
    "Difference",
    "Distance",
    "Doubt",
    "Estimate",
    "GeneratedShare",
    "Interval",
    "Measured",
    "OnOther",
    "Optimism",
    "Outcome",
    "Record",
    "Results",
    "RunAbout",
    "Sample",
    "Skipped",
    "Spread",
    "Unreadable",
]
