"""The blind row: what the captions of a score file give away, or why they cannot tell."""

from __future__ import annotations

from miagym.errors import DataError
from miagym.metrics.labelled import Row
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.groups import SPENT
from miagym.scorefile.reading.columns import role_option
from miagym.scorefile.warned import Warned

BLIND_CAPTIONS = "blind-captions"
CROSS_VALIDATED = "cross-validated"
"""The protocol of the blind row: each caption is scored by a rule that other captions taught."""


def blind_rows(
    attack: AttackScores, target: str | None, seed: int
) -> tuple[list[Row], list[Warned]]:
    """The row of the captions of the test part, if there are captions.

    Where captions repeat, the audit asks twice: with copies kept apart, and not. The stronger
    answer counts, since a classifier that asks no model may know captions by heart as well.

    Args:
        attack: whose test part is looked at.
        target: its name, for the warning.
        seed: of folds and shuffles.

    Returns:
        One row or none; and a warning if there is none in spite of captions, or if they give
        members away.
    """
    captions = attack.test.caption
    if captions is None:
        return [], []
    from miagym.auditing.audit import (
        audit_captions,  # the audit takes longer to import than to skip
    )
    from miagym.auditing.verdict import AuditVerdict

    try:
        audit = audit_captions(tuple(captions), attack.test.member, attack.test.groups, seed=seed)
    except DataError:  # a column that nobody asked for must not make scores unusable
        how = "the same" if any(captions) else "empty"
        return [], [
            _cannot_tell(f"all are {how}; name another column by {role_option('caption')}.", target)
        ]
    if not audit.blind:
        return [], [_cannot_tell(audit.why[:1].lower() + audit.why[1:], target)]
    shifted = audit.verdict == AuditVerdict.SHIFTED
    warned = [Warned("split-shifted", f"The captions{_of(target)}: {audit.why}")] if shifted else []
    strongest = max(audit.blind, key=lambda row: row.auc)
    return [
        {
            "attack": BLIND_CAPTIONS,
            "access": "blind",
            **strongest.model_dump(mode="json", exclude={"view", "p"}),
            **dict.fromkeys(SPENT, 0.0),
            "at_threshold": None,
            "wasserstein": None,
            "seconds": None,
            "protocol": CROSS_VALIDATED,
            "chosen": None,
        }
    ], warned


def _cannot_tell(why: str, target: str | None) -> Warned:
    return Warned("no-blind-row", f"No blind row from the captions{_of(target)}: {why}")


def _of(target: str | None) -> str:
    return "" if target is None else f" of {target}"
