"""All that a file of scores says: rows, controls, protocols, comparisons, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from operator import itemgetter

from miagym.metrics.controls import (
    Control,
    label_shuffle,
    nonmembers_against_nonmembers,
    null_target,
)
from miagym.metrics.distance import wasserstein
from miagym.metrics.labelled import Row, comparisons, fixed_beforehand
from miagym.metrics.measure import measure
from miagym.metrics.optimism import measure_optimism
from miagym.report.rows import is_blind
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.blind import blind_rows
from miagym.scorefile.rows import at_most, same_candidates
from miagym.scorefile.stated import Statement
from miagym.scorefile.stated_warnings import stated_warnings
from miagym.scorefile.warnings import Warned, attack_warnings, size_warnings

CONTROLLED = 10_000
"""Members, and non-members, on which controls are made at most: they test how, not how much."""
POOL = 5_000
"""Members, and non-members, from which both protocols draw at most, as in the paper."""
WORKERS = 2
"""Threads; NumPy lets go of the interpreter in its long loops."""


@dataclass(frozen=True)
class ScoreSheet:
    """The sections of results.json that scores alone can fill, and warnings."""

    rows: list[Row] = field(default_factory=list)
    controls: list[Row] = field(default_factory=list)
    protocols: list[Row] = field(default_factory=list)
    comparisons: list[Row] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def as_json(self) -> Row:
        return {"schema": 1, **asdict(self)}


def score_sheet(
    attacks: Sequence[AttackScores],
    statement: Statement,
    lower_is_member: bool,
    seed: int,
    target: str | None = None,
    data: str | None = None,
) -> ScoreSheet:
    """Measures all attacks of a file.

    Args:
        attacks: at least one.
        statement: what is stated about the strongest of them.
        lower_is_member: whether the signs have been turned.
        seed: of resampling and shuffles.
        target: name of the target, where the file names none.
        data: name of the data, where the file names none.
    """
    sheet = ScoreSheet()
    matches: dict[tuple[str | None, str | None], list[AttackScores]] = {}
    for attack in attacks:
        matches.setdefault((attack.target or target, attack.data or data), []).append(attack)
    with ThreadPoolExecutor(WORKERS) as pool:
        for (its_target, its_data), group in matches.items():
            where = {"target": its_target, "data": its_data}
            blind, why_none = _blind(group, its_target, seed)
            sheet.rows.extend(where | row for row in blind)
            sections = _sections(group, lower_is_member, seed).items()
            started = [(name, pool.submit(work)) for name, all_ in sections for work in all_]
            for name, future in started:
                getattr(sheet, name).extend(where | row for row in future.result())
            sheet.warnings.extend(why_none)
            sheet.warnings.extend(size_warnings(group))
            for attack in group:
                sheet.warnings.extend(attack_warnings(attack, lower_is_member))
    _mark_failed(sheet)
    sheet.warnings.extend(_failed(sheet.controls))
    sheet.warnings.extend(stated_warnings(statement, attacks))
    sheet.warnings.extend(_missing(attacks, sheet.rows))
    return sheet


def _blind(
    attacks: Sequence[AttackScores], target: str | None, seed: int
) -> tuple[list[Row], list[Warned]]:
    """The blind row of each set of captions; attacks are named where they have not all the same."""
    alike: dict[object, list[AttackScores]] = {}
    for attack in attacks:
        caption, member = attack.test.caption, attack.test.member.tolist()
        pairs = None if caption is None else Counter(zip(caption, member, strict=True)).items()
        alike.setdefault(pairs and frozenset(pairs), []).append(attack)
    rows, warnings = [], []
    for group in alike.values():
        whose, where = "", target
        if len(alike) > 1:
            names = ", ".join(attack.attack for attack in group)
            whose, where = f" ({names})", names if target is None else f"{names} on {target}"
        found, why_none = blind_rows(group[0], where, seed)
        rows += [row | {"attack": f"{row['attack']}{whose}"} for row in found]
        warnings += why_none
    return rows, warnings


Work = Callable[[], list[Row]]


def _sections(
    attacks: Sequence[AttackScores], lower_is_member: bool, seed: int
) -> dict[str, list[Work]]:
    """What there is to compute, by section."""
    asking = [attack for attack in attacks if not attack.is_blind]
    scores, names = {a.attack: a.test for a in attacks}, [a.attack for a in asking]
    return {
        "rows": [partial(_row, a, lower_is_member, seed) for a in attacks],
        "controls": [work for a in asking for work in _controls(a, seed)],
        "protocols": [partial(_gap, a, part, seed) for a in asking for part in a.variants],
        "comparisons": [partial(comparisons, scores, names, seed, same_candidates)],
    }


def _row(attack: AttackScores, lower_is_member: bool, seed: int) -> list[Row]:
    """In the shape of results.json; what scores do not tell is None."""
    row = {
        "attack": attack.attack,
        "access": "blind" if attack.is_blind else None,
        **measure(attack.test.score, attack.test.member).as_row(),
        **attack.spent,
        "at_threshold": _thresholds(attack, lower_is_member),
        "wasserstein": wasserstein(*attack.test.sides, seed).as_row(),
        "seconds": None,
        "protocol": attack.protocol,
        "chosen": attack.chosen,
    }
    return [row]


def _thresholds(attack: AttackScores, lower_is_member: bool) -> dict[str, Row] | None:
    """What thresholds do that were fixed beforehand; each as a value of the file, not turned."""
    if attack.calibration is None:
        return None
    fixed = fixed_beforehand(attack.calibration, attack.test)
    if lower_is_member:
        fixed = {kind: at | {"threshold": 0.0 - at["threshold"]} for kind, at in fixed.items()}
    return fixed


def _controls(attack: AttackScores, seed: int) -> Iterator[Work]:
    some = at_most(CONTROLLED, attack.test.member, seed)
    score, member = attack.test.score[some], attack.test.member[some]

    def row(control: Control | None) -> list[Row]:
        return [] if control is None else [{"attack": attack.attack, **control.as_row()}]

    yield lambda: row(label_shuffle(score, member, seed))
    yield lambda: row(nonmembers_against_nonmembers(score, member, seed))
    null = attack.null
    if null is not None:
        yield lambda: row(null_target(null.score, null.member))


def _gap(attack: AttackScores, part: str, seed: int) -> list[Row]:
    variants = attack.variants[part]
    member = next(iter(variants.values())).member
    some = at_most(POOL, member, seed)
    pool = {name: rows.score[some] for name, rows in variants.items()}
    gap = measure_optimism(pool, member[some], seed)
    return [] if gap is None else [{"attack": attack.attack, "part": part, **gap.as_row()}]


def _mark_failed(sheet: ScoreSheet) -> None:
    """Tells each row which of its controls failed."""
    about = itemgetter("target", "data", "attack")
    for row in sheet.rows:
        own = [control for control in sheet.controls if about(control) == about(row)]
        row["failed_controls"] = [each["control"] for each in own if not each["passed"]]


def _failed(controls: Sequence[Row]) -> Iterator[Warned]:
    for control in controls:
        if control["passed"]:
            continue
        found = f"AUC {control['auc']:.3f}"
        if control["coverage"] is not None:
            found = (
                f"95 % intervals held 0.5 in {100 * control['coverage']:.1f} % of "
                f"{control['repetitions']} repetitions"
            )
        yield Warned(
            "control-failed",
            f"{control['attack']}: the control {control['control']!r} failed ({found}, where there "
            "is nothing to find); no interval of this attack can be trusted.",
        )


def _missing(attacks: Sequence[AttackScores], rows: Sequence[Row]) -> Iterator[Warned]:
    """What a fair table needs and this file does not hold."""
    if all(attack.test.caption is None for attack in attacks) and not any(map(is_blind, rows)):
        yield Warned(
            "no-blind-row",
            "No blind row: nothing here says what the data alone give away; give --caption, or run "
            "`miagym audit` on the data.",
        )
    if all(attack.null is None for attack in attacks):
        yield Warned(
            "no-null-target",
            "No null target: score the same candidates on a model that saw neither side, and mark "
            "those rows `null` in the column of --part.",
        )
    if lacking := [attack.label for attack in attacks if attack.calibration is None]:
        whose = "" if len(lacking) == len(attacks) else f" of {', '.join(lacking)}"
        yield Warned(
            "no-calibration-part",
            f"No calibration part{whose}: there is no threshold that was fixed beforehand, and "
            "nobody can tell whether settings were chosen on these very scores; mark rows with "
            "--part.",
        )
