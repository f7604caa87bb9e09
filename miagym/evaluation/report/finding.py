"""What a run found, in words that claim nothing beyond the intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miagym.evaluation.detection import not_resolvable
from miagym.evaluation.report.surprise import auc_surprises, tpr_surprises

Row = Mapping[str, Any]
"""A row of results.json."""

ALPHA = "0.01"
"""The FPR at which attacks are compared, as results.json spells it."""
FAIR = "held-out"
"""The protocol that the finding rests on, wherever it was run."""
ACCESS = ("blind", "black", "grey", "white")


def finding(rows: Sequence[Row]) -> str:
    """What the run found, in one sentence that claims nothing beyond the intervals.

    Of each target it takes the attack that finds most members at 1 % false positives, or has the
    highest AUC where that is not resolvable, and says of how many it is the best. Held-out rows go
    before all others, and those whose controls hold before those where one failed.
    """
    groups, clauses, blinds = by_target(rows), [], []
    for label, group in groups.items():
        asking = held_out(asking_rows(group))
        holding = [row for row in asking if not row.get("failed_controls")]
        best, blind = strongest(holding or asking), strongest(blind_rows(group))
        where = f" on {label}" if len(groups) > 1 else ""
        blinds.append(f"{_strength(blind) if blind else 'none was run'}{where}")
        if best is None:
            clauses.append(f"on {label} no attack that looks at the model was scored")
            continue
        clause = f"on {label} {_who(group, asking, holding, first=not clauses)} ({best['attack']}) "
        if detection(best):
            clause += f"finds {_strength(best)} of members at 1 % false positives"
        else:
            clause += f"has an {_strength(best)} ({best['n_nonmembers']} non-members are too few "
            clause += "for a rate at 1 % false positives)"
        in_auc, standing = _standings(best, group)[0], _standings(best, group)[-1]
        clause += f", {standing}" if standing.startswith("not") else ""
        if standing.startswith("not") and in_auc.startswith("above"):
            auc = f"{best['auc']:.2f} {interval(best['auc_ci'], '.2f')}"
            clause += f" at that rate with n = {best['n_nonmembers']:,}, but {in_auc} in AUC: {auc}"
        if failed := best.get("failed_controls"):
            clause += f", but its control failed ({', '.join(failed)}), so trust no number of it"
        clauses.append(clause + ("" if best["protocol"] == FAIR else f" ({best['protocol']})"))
    if not clauses:
        return "No attack was scored."
    clauses.append(f"blind baselines that never see the model: {', '.join(blinds)}")
    sentence = "; ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _who(group: Sequence[Row], asking: list[Row], holding: list[Row], *, first: bool) -> str:
    """Of how many attacks it is the best, and how many others were scored without being ranked."""
    tried, ranked = _names(asking), _names(holding or asking)
    others = _names(asking_rows(group)) - tried
    who = f"the best of {ranked} attacks" if ranked > 1 else "the only attack"
    if first:
        who += " that look at the model" if ranked > 1 else " that looks at the model"
    if others:
        who += f" and {'were' if ranked > 1 else 'was'} held out, {others} more not"
    if tried > ranked:
        who += f" and passed {'their' if ranked > 1 else 'its'} controls, {tried - ranked} did not"
    return who


def by_target(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by target, and by data where a target has several; each sorted by access and name."""

    def order(row: Row) -> tuple[Any, ...]:
        level = ACCESS.index(row["access"]) if row["access"] in ACCESS else len(ACCESS)
        return row["target"], row["data"], level, row["attack"], row["protocol"]

    pairs = {(row["target"], row["data"]) for row in rows}
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=order):
        alone = sum(target == row["target"] for target, _ in pairs) == 1
        label = row["target"] if alone else f"{row['target']} with {row['data']}"
        groups.setdefault(label, []).append(row)
    return groups


def is_blind(row: Row) -> bool:
    return row["access"] == "blind" or "blind" in row["attack"].lower()


def blind_rows(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if is_blind(row)]


def asking_rows(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not is_blind(row)]


def held_out(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["protocol"] == FAIR] or rows


def detection(row: Row) -> Mapping[str, Any] | None:
    return row["tpr_at_fpr"].get(ALPHA)


def strongest(rows: Sequence[Row]) -> Row | None:
    """The strongest row, by TPR where there is one and then by AUC."""

    def strength(row: Row) -> tuple[float, float]:
        found = detection(row)
        return (found["tpr"] if found else -1.0, row["auc"])

    return max(rows, key=strength, default=None)


def _standings(row: Row, group: Sequence[Row]) -> list[str]:
    """How a row compares in AUC and then, where resolvable, in TPR.

    The lower end of its interval must clear the upper ends of all blind rows, and chance. That is
    stricter than a test of the difference, and so errs on the side of "not above". Of many that
    were tried, the luckiest clears chance by luck: it must do so as one of so many.
    """
    blind = [] if is_blind(row) else blind_rows(group)
    tried = _names(blind_rows(group) if is_blind(row) else asking_rows(group))
    cis = [other["auc_ci"] for other in blind]
    standings = [_standing(row["auc_ci"], cis, 0.5, tried, auc_surprises(row, tried))]
    if found := detection(row):
        cis = [other["ci"] for other in map(detection, blind) if other]
        surprises = tpr_surprises(row, found, tried)
        standings.append(_standing(found["ci"], cis, float(ALPHA), tried, surprises))
    return standings


def _standing(
    ci: Sequence[float],
    blind: Sequence[Sequence[float]],
    chance: float,
    tried: int,
    surprises: bool,
) -> str:
    if blind and ci[0] <= max(other[1] for other in blind):
        return "not above blind"
    if ci[0] <= chance:
        return "not above chance"
    if not surprises:
        return f"not above chance as one of {tried}" if tried > 1 else "not above chance"
    return "above blind" if blind else "above chance"


def _names(rows: Sequence[Row]) -> int:
    """How many attacks there are, whatever their protocols."""
    return len({row["attack"] for row in rows})


def remark(row: Row, group: Sequence[Row]) -> str:
    in_auc, *rest = _standings(row, group)
    if not rest:
        remarks = [f"{in_auc} in AUC"]
    elif in_auc == rest[0]:
        remarks = [in_auc]
    else:
        remarks = [f"{rest[0]} at 1 % FPR", f"{in_auc} in AUC"]
    if is_blind(row):
        if any(remark.startswith("above") for remark in remarks):
            remarks.append("the split itself gives members away")
    elif not blind_rows(group):
        remarks.append("no blind row to compare with")
    if row["attack"].endswith("+reference"):
        remarks.append("calibrated with a public reference model")
    if failed := row.get("failed_controls"):
        remarks.append(f"FAILED CONTROL ({', '.join(failed)}): trust no number of this row")
    if row["protocol"] != FAIR:
        remarks.append(f"protocol: {row['protocol']}")
    return "; ".join(remarks)


def _strength(row: Row) -> str:
    found = detection(row)
    return percent(found) if found else f"AUC of {row['auc']:.2f} {interval(row['auc_ci'], '.2f')}"


def losses(unreadable: Sequence[Row]) -> list[str]:
    """How many pictures of each side were skipped, by data set: a loss is itself a shift."""
    by_data: dict[str, list[bool]] = {}
    for picture in unreadable:
        by_data.setdefault(picture["data"], []).append(picture["member"])
    return [
        f"Pictures of {data} that could not be read and were skipped: {sum(member):,} of members "
        f"and {len(member) - sum(member):,} of non-members (results.json lists them)."
        for data, member in by_data.items()
    ]


def unresolved(row: Row) -> str:
    """In words, why a row has no TPR: nothing is finer than 1/n non-members."""
    return not_resolvable(row["n_nonmembers"])


def percent(found: Mapping[str, Any]) -> str:
    ends = [100 * end for end in found["ci"]]
    return f"{100 * found['tpr']:.1f} % {interval(ends, '.1f')}"


def interval(ends: Sequence[float], form: str) -> str:
    return f"[{ends[0]:{form}}\N{EN DASH}{ends[1]:{form}}]"
