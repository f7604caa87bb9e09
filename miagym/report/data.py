"""What the report says of the data: is the split fair, what could not be read, what was not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from miagym.auditing.cues import Cue, cue_in_words
from miagym.report.finding import interval, losses, percent
from miagym.report.rows import ALPHA
from miagym.report.tables import WITH_INTERVAL, line, safe, table

ALARM = 0.05
"""Cues with a larger p-value (corrected for all cues) are not named."""
CUES = 5
"""Most cues of one split that the report names."""
EXAMPLES = 10
"""Most unreadable pictures that it lists."""


def audit_section(audits: Sequence[Mapping[str, Any]]) -> str:
    """The verdict on each split, what its blind views find, and its most telling cues."""
    if not audits:
        return "<p>The split was not audited.</p>"
    parts, bodies = [], []
    for audit in audits:
        head = f"<b>{safe(audit['data'])}: {safe(audit['verdict'])}.</b>"
        telling = [cue for cue in audit["cues"] if cue["p"] < ALARM][:CUES]
        cues = "".join(f"<li>{safe(cue_in_words(Cue(**cue)))}</li>" for cue in telling)
        parts.append(f"<p>{head} {safe(audit['why'])}</p>{f'<ul>{cues}</ul>' if cues else ''}")
        size = f"{audit['n_members']:,} members and {audit['n_nonmembers']:,} non-members"
        lines = [line(row["view"], _blind_cells(row)) for row in audit["blind"]]
        bodies.append((f"{audit['data']}: {size}", lines))
    names = ["View", f"AUC{WITH_INTERVAL}", f"TPR at 1 % FPR{WITH_INTERVAL}"]
    return f"{''.join(parts)}<div class=scroll>{table(names, bodies)}</div>"


def doubts_list(doubts: Sequence[Mapping[str, Any]]) -> str:
    """Matches whose labels do not fit what is on record of the target's training."""
    return "".join(
        f"<p class=finding><b>Doubtful labels:</b> {safe(doubt['target'])} with "
        f"{safe(doubt['data'])}. {safe(doubt['why'])}</p>"
        for doubt in doubts
    )


def unreadable_list(unreadable: Sequence[Mapping[str, Any]]) -> str:
    """Pictures that were left out, counted per side, since a loss on one side is itself a shift."""
    if not unreadable:
        return ""
    items = "".join(
        f"<li>{safe(picture['data'])}, row {picture['row']}: {safe(picture['why'])}</li>"
        for picture in unreadable[:EXAMPLES]
    )
    more = len(unreadable) - EXAMPLES
    rest = f"<li>and {more:,} more, in results.json</li>" if more > 0 else ""
    counts = "".join(f"<p>{safe(line)}</p>" for line in losses(unreadable))
    return f"<h3>Pictures that could not be read</h3>{counts}<ul>{items}{rest}</ul>"


def skipped_list(skipped: Sequence[Mapping[str, Any]]) -> str:
    """Attacks that were not run, and why."""
    items = (
        f"<li><b>{safe(row['attack'])}</b> on {safe(row['target'])} ({safe(row['data'])}): "
        f"{safe(row['why'])}</li>"
        for row in skipped
    )
    return f"<h3>Not run</h3><ul>{''.join(items)}</ul>" if skipped else ""


def _blind_cells(row: Mapping[str, Any]) -> list[str]:
    found = row["tpr_at_fpr"].get(ALPHA)
    return [
        f"{row['auc']:.3f} {interval(row['auc_ci'], '.3f')}",
        percent(found) if found else "not resolvable",
    ]
