"""All that a file of scores says: rows, controls, protocols, comparisons, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any

from miagym.metrics.controls import Control as Measured
from miagym.metrics.controls import (
    label_shuffle,
    nonmembers_against_nonmembers,
    null_target,
)
from miagym.metrics.distance import wasserstein
from miagym.metrics.epsilon import epsilon_at_least
from miagym.metrics.labelled import Row, comparisons, fixed_beforehand
from miagym.metrics.measure import measure
from miagym.metrics.optimism import measure_optimism
from miagym.results import SCHEMA, AttackRow, Comparison, Control, Optimism
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.blind import blind_rows
from miagym.scorefile.rows import at_most, same_candidates
from miagym.scorefile.sheet_warnings import control_warnings, missing_warnings
from miagym.scorefile.stated import Statement
from miagym.scorefile.stated_warnings import stated_warnings
from miagym.scorefile.warned import Warned
from miagym.scorefile.warnings import attack_warnings, group_warnings, size_warnings

CONTROLLED = 10_000
"""Members, and non-members, on which controls are made at most: they test how, not how much."""
POOL = 5_000
"""Members, and non-members, from which both protocols draw at most, as in the paper."""
WORKERS = 2
"""Threads; NumPy lets go of the interpreter in its long loops."""
SECTIONS = {
    "rows": AttackRow,
    "controls": Control,
    "protocols": Optimism,
    "comparisons": Comparison,
}


@dataclass(frozen=True)
class ScoreSheet:
    """The sections of results.json that scores alone can fill, and warnings."""

    rows: tuple[AttackRow, ...] = ()
    controls: tuple[Control, ...] = ()
    protocols: tuple[Optimism, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def epsilons(self) -> dict[str, float]:
        """By attack, the epsilon that its threshold for 1 % FPR proves at least, fixed beforehand.

        Only of attacks that see a model, and have a calibration part.
        """
        return {
            row.attack if row.target is None else f"{row.attack} on {row.target}": (
                epsilon_at_least(at.tpr_ci, at.fpr_ci)
            )
            for row in self.rows
            if not row.blind and row.at_threshold and (at := row.at_threshold.get("0.01"))
        }

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, texts, lists and None, in the shape of results.json."""
        sections = {name: vars(self)[name] for name in SECTIONS}
        return {
            "schema": SCHEMA,
            **{name: [record.as_json() for record in found] for name, found in sections.items()},
            "warnings": [asdict(warning) for warning in self.warnings],
            **({"epsilon_at_least": self.epsilons} if self.epsilons else {}),
        }


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
    found: dict[str, list[Row]] = {name: [] for name in SECTIONS}
    warnings: list[Warned] = []
    matches: dict[tuple[str | None, str | None], list[AttackScores]] = {}
    for attack in attacks:
        matches.setdefault((attack.target or target, attack.data or data), []).append(attack)
    with ThreadPoolExecutor(WORKERS) as pool:
        for (its_target, its_data), group in matches.items():
            where = {"target": its_target, "data": its_data}
            blind, why_none = _blind(group, its_target, seed)
            found["rows"].extend(where | row for row in blind)
            sections = _sections(group, lower_is_member, seed).items()
            started = [(name, pool.submit(work)) for name, all_ in sections for work in all_]
            for name, future in started:
                found[name].extend(where | row for row in future.result())
            warnings += [*why_none, *size_warnings(group), *group_warnings(group)]
            for attack in group:
                warnings += attack_warnings(attack, group, lower_is_member)
    _mark_failed(found)
    records = {
        name: tuple(kind.model_validate(row) for row in found[name])
        for name, kind in SECTIONS.items()
    }
    sheet = ScoreSheet(**records)
    warnings += [*control_warnings(sheet.controls), *stated_warnings(statement, attacks)]
    warnings += missing_warnings(attacks, sheet.rows)
    return replace(sheet, warnings=tuple(warnings))


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
    asking = [attack for attack in attacks if not attack.blind]
    scores, names = {a.attack: a.test for a in attacks}, [a.attack for a in asking]
    return {
        "rows": [partial(_row, a, lower_is_member, seed) for a in attacks],
        "controls": [work for a in asking for work in _controls(a, seed, len(asking))],
        "protocols": [partial(_gap, a, part, seed) for a in asking for part in a.variants],
        "comparisons": [partial(comparisons, scores, names, seed, same_candidates)],
    }


def _row(attack: AttackScores, lower_is_member: bool, seed: int) -> list[Row]:
    """In the shape of results.json; what scores do not tell is None."""
    row = {
        "attack": attack.attack,
        "access": "blind" if attack.blind else None,
        **measure(attack.test.score, attack.test.member, attack.test.groups).as_row(),
        **attack.spent,
        "at_threshold": _thresholds(attack, lower_is_member),
        "wasserstein": wasserstein(*attack.test.sides, seed, attack.test.sides_groups).as_row(),
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


def _controls(attack: AttackScores, seed: int, attacks: int) -> Iterator[Work]:
    some = at_most(CONTROLLED, attack.test.member, seed)
    test = attack.test.take(some)
    given = test.score, test.member, seed, test.groups, attacks

    def row(control: Measured | None) -> list[Row]:
        return [] if control is None else [{"attack": attack.attack, **control.as_row()}]

    yield lambda: row(label_shuffle(*given))
    yield lambda: row(nonmembers_against_nonmembers(*given))
    null = attack.null
    if null is not None:
        yield lambda: row(null_target(null.score, null.member, null.groups, attacks))


def _gap(attack: AttackScores, part: str, seed: int) -> list[Row]:
    variants = attack.variants[part]
    member = next(iter(variants.values())).member
    some = at_most(POOL, member, seed)
    pool = {name: rows.score[some] for name, rows in variants.items()}
    gap = measure_optimism(pool, member[some], seed)
    return [] if gap is None else [{"attack": attack.attack, "part": part, **gap.as_row()}]


def _mark_failed(found: Mapping[str, Sequence[Row]]) -> None:
    """Tells each row which of its controls failed."""
    about = itemgetter("target", "data", "attack")
    for row in found["rows"]:
        own = [control for control in found["controls"] if about(control) == about(row)]
        row["failed_controls"] = [each["control"] for each in own if not each["passed"]]
