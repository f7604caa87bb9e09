"""What a run found, in words that claim nothing beyond the intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miagym.auditing.verdict import AuditVerdict
from miagym.report.family import AlarmFamily
from miagym.report.power import could_tell
from miagym.report.rows import (
    asking_rows,
    blind_rows,
    by_target,
    held_out,
    names_in,
    strongest,
)
from miagym.report.standing import standings
from miagym.results import AttackRow, AuditRecord, DataSeen, RunAbout, Unreadable
from miagym.results.formats import detection, estimate, rate


def finding(rows: Sequence[AttackRow], audits: Sequence[AuditRecord] = ()) -> str:
    """What the run found, in one sentence that claims nothing beyond the intervals.

    Of each target it takes the attack that finds most members at 1 % false positives, or has the
    highest AUC where that is not resolvable, and says of how many it is the best. Held-out rows go
    before all others, and those whose controls hold before those where one failed.
    """
    groups, clauses, blinds = by_target(rows), [], []
    family = AlarmFamily(rows, audits)
    for label, group in groups.items():
        asking = held_out(asking_rows(group))
        holding = [row for row in asking if not row.failed_controls]
        best, blind = strongest(holding or asking), strongest(blind_rows(group))
        where = f" on {label}" if len(groups) > 1 else ""
        blinds.append(f"{_strength(blind) if blind else 'none was run'}{where}")
        if best is None:
            clauses.append(f"on {label} no attack that looks at the model was scored")
            continue
        clause = f"on {label} {_who(group, asking, holding, first=not clauses)} ({best.attack}) "
        if detection(best):
            clause += f"finds {_strength(best)} of members at 1 % false positives"
        else:
            clause += f"has an {_strength(best)} ({best.n_nonmembers} non-members are too few "
            clause += "for a rate at 1 % false positives)"
        found = standings(best, group, family)
        in_auc, standing = found[0], found[-1]
        if standing.startswith("not"):
            clause += f", {standing}"
        if standing.startswith("not") and in_auc.startswith("above"):
            auc = estimate(best.auc, best.auc_ci, ".2f")
            clause += f" at that rate with n = {best.n_nonmembers:,}, but {in_auc} in AUC: {auc}"
        if standing.startswith("not"):
            clause += f" ({could_tell(group, family)})"
        if failed := ", ".join(best.failed_controls):
            clause += f", but its control failed ({failed}), so trust no number of it"
        clauses.append(clause + ("" if best.held_out else f" ({best.protocol})"))
    if not clauses:
        return "No attack was scored."
    clauses.append(f"blind baselines that never see the model: {', '.join(blinds)}")
    clauses += [
        f"the audit finds that the split of {audit.data} itself gives members away"
        for audit in audits
        if audit.verdict == AuditVerdict.SHIFTED
    ]
    sentence = "; ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _who(
    group: Sequence[AttackRow], asking: list[AttackRow], holding: list[AttackRow], *, first: bool
) -> str:
    """Of how many attacks it is the best, and how many others were scored without being ranked."""
    tried, ranked = names_in(asking), names_in(holding or asking)
    others = names_in(asking_rows(group)) - tried
    who = f"the best of {ranked} attacks" if ranked > 1 else "the only attack"
    if first:
        who += " that look at the model" if ranked > 1 else " that looks at the model"
    if others:
        who += f" and {'were' if ranked > 1 else 'was'} held out, {others} more not"
    if tried > ranked:
        who += f" and passed {'their' if ranked > 1 else 'its'} controls, {tried - ranked} did not"
    return who


def _strength(row: AttackRow) -> str:
    found = detection(row)
    return rate(found.tpr, found.ci) if found else f"AUC of {estimate(row.auc, row.auc_ci, '.2f')}"


def defended(run: RunAbout) -> Iterator[str]:
    """What the target's pictures went through before a black box handed them out, if anything."""
    if name := run.config.get("defence"):
        yield (
            f"Black-box answers were defended ({name}); whoever has the weights is not kept from "
            "anything, so that the other rows are those of the bare model."
        )


def seen_in(data: Sequence[DataSeen]) -> list[str]:
    """What was odd about the data, and what was passed over by reason and side."""
    said = []
    for seen in data:
        said += [f"{seen.data}: {warning}" for warning in seen.warnings]
        counts = [
            f"{n:,} × {reason} among the {side.replace('nonm', 'non-m')}"
            for side, reasons in seen.passed_over.items()
            for reason, n in reasons.items()
        ]
        if counts:
            said.append(f"{seen.data}: passed over {', '.join(counts)}.")
        if seen.learned_on:
            said.append(f"{seen.data}: variants and rules come from {seen.learned_on}.")
    return said


def losses(unreadable: Sequence[Unreadable]) -> list[str]:
    """How many pictures of each side were skipped, by data set: a loss is itself a shift."""
    by_data: dict[str, list[bool]] = {}
    for picture in unreadable:
        by_data.setdefault(picture.data, []).append(picture.member)
    return [
        f"Pictures of {data} that could not be read and were skipped: {sum(member):,} of members "
        f"and {len(member) - sum(member):,} of non-members (results.json lists them)."
        for data, member in by_data.items()
    ]
