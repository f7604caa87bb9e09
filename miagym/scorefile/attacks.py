"""The attacks of a score file: for each its test scores, and what calibration scores chose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from miagym.errors import DataError
from miagym.metrics.groups.clusters import group_numbers
from miagym.metrics.groups.shuffles import dealt_labels
from miagym.metrics.labelled import best_variant
from miagym.results import HELD_OUT
from miagym.scorefile.groups import ScoreTable
from miagym.scorefile.reading.columns import CALIBRATION, NULL, PAPER, TEST, Columns
from miagym.scorefile.reading.file import ScoreFile
from miagym.scorefile.rows import Rows, Variants

AS_GIVEN = "as given"
"""The protocol of scores without a calibration part: nobody knows what was chosen on what."""
RANDOM_HALVES = "held-out, chosen on a random half"
"""The protocol of variants without a calibration part: a random half of the candidates chooses."""
SAME_CANDIDATES = "optimistic, chosen on the same candidates"
"""The protocol of variants that were chosen by the very scores that are reported, as asked for."""


@dataclass(frozen=True, eq=False)
class AttackScores:
    """One attack, as it is scored."""

    attack: str
    target: str | None
    data: str | None
    blind: bool
    """Whether it never saw the model, as was declared."""
    protocol: str
    chosen: str | None
    """The variant; None if there is no column of variants."""
    test: Rows
    calibration: Rows | None
    """Of the chosen variant; None if there is no calibration part."""
    null: Rows | None
    variants: Mapping[str, Variants]
    """By part, where there is more than one variant in it."""
    spent: Mapping[str, float | None]
    """Queries and rows for one candidate, on average; None if unknown."""
    label_words: tuple[str, str] | None = None
    """What stands for a member and for a non-member in the file."""

    @property
    def label(self) -> str:
        return self.attack if self.target is None else f"{self.attack} on {self.target}"


def attacks_of(
    file: ScoreFile,
    columns: Columns,
    lower_is_member: bool,
    seed: int,
    blind: Collection[str] = (),
    optimistic: bool = False,
) -> list[AttackScores]:
    """All attacks of a file, in the order in which they come.

    Args:
        file: scores and labels.
        columns: which column is what.
        lower_is_member: whether low scores mean members; all signs are turned then.
        seed: of the random halves, where variants come without a calibration part.
        blind: names of attacks that never saw the model, whether or not they are in the file.
        optimistic: whether variants without a calibration part are chosen on all candidates, and
            measured on the same ones.

    Raises:
        DataError: if values are missing or no scores, ids are there twice, a part has one side
            only, or the variants of an attack are not scored on the same candidates.
    """
    if len(set(columns.score)) < len(columns.score):
        raise DataError("A column of scores was named twice; once is enough.")
    table = ScoreTable(file, columns, -1.0 if lower_is_member else 1.0)
    if not len(table.everything):
        raise DataError(f"{file.path} has no rows; expected scores and labels.")
    return [_attack(table, seed, blind, optimistic, *group) for group in table.groups()]


def _attack(
    table: ScoreTable,
    seed: int,
    blind: Collection[str],
    optimistic: bool,
    attack: str,
    target: str | None,
    data: str | None,
    rows: Rows,
) -> AttackScores:
    parts = table.by_part(rows, attack)
    if TEST not in parts:
        raise DataError(
            f"{table.file.path}: {attack} has no rows in the test part, only in {', '.join(parts)}."
        )
    test, calibration = parts[TEST], parts.get(CALIBRATION)
    protocol = HELD_OUT if table.is_run or calibration is not None else AS_GIVEN
    together = test
    if PAPER in parts:
        together = table.aligned({**test, **parts[PAPER]}, f"the test part of {attack}")
    if len(test) > 1 and calibration is None and optimistic:
        protocol = SAME_CANDIDATES
    elif len(test) > 1 and calibration is None:
        _require_two_halves(table, attack, next(iter(test.values())))
        protocol, calibration, test = RANDOM_HALVES, *_halves(test, seed)
    chosen = _chosen(test, test if protocol == SAME_CANDIDATES else calibration, attack, table)
    null = parts.get(NULL, {})
    options = {TEST: together, CALIBRATION: parts.get(CALIBRATION, {})}
    return AttackScores(
        attack=attack,
        target=target,
        data=data,
        blind=attack in blind,
        protocol=protocol,
        chosen=chosen or None,
        test=test[chosen],
        calibration=None if calibration is None else calibration.get(chosen),
        null=null.get(chosen, next(iter(null.values()), None)),
        variants={part: found for part, found in options.items() if len(found) > 1},
        spent={
            name: None if each is None else float(each[test[chosen].place].mean())
            for name, each in table.spent.items()
        },
        label_words=table.label_words,
    )


def _require_two_halves(table: ScoreTable, attack: str, test: Rows) -> None:
    m, n = (len(side) for side in test.sides)
    if min(m, n) < 2:
        raise DataError(
            f"{table.file.path}: {attack} has variants, no calibration part, and {m:,} members and "
            f"{n:,} non-members in the test part; half of each side must choose the variant and "
            "half be measured, which takes at least 2 of each."
        )


def _halves(variants: Variants, seed: int) -> tuple[Variants, Variants]:
    """A random half of members and of non-members of each variant, and the others.

    Groups stay whole, as far as they stand on one side.
    """
    rng = np.random.default_rng(seed)
    first = next(iter(variants.values()))
    member, codes = first.member, first.codes
    chooses = np.zeros(len(member), dtype=bool)
    for side in (np.flatnonzero(member), np.flatnonzero(~member)):
        if codes is None:
            chooses[rng.permutation(side)[: len(side) // 2]] = True
        else:
            block = group_numbers(codes[side])
            (half,) = dealt_labels(block, len(side) // 2, int(rng.integers(2**32)), times=1)
            chooses[side[half]] = True
    chosen_on = {name: rows.take(chooses) for name, rows in variants.items()}
    return chosen_on, {name: rows.take(~chooses) for name, rows in variants.items()}


def _chosen(test: Variants, calibration: Variants | None, attack: str, table: ScoreTable) -> str:
    """The variant with the highest calibration AUC, of those that were tested."""
    if len(test) == 1:
        return next(iter(test))
    both = [name for name in test if calibration and name in calibration]
    if not calibration or not both:
        raise DataError(
            f"{table.file.path}: no variant of {attack} is in both the calibration and the test "
            "part; calibration scores must choose among what is tested."
        )
    return best_variant({name: calibration[name] for name in both})
