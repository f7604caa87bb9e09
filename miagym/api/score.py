"""`miagym.score`: fair numbers for scores that come from anywhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from miagym.api.results import ScoreReport
from miagym.data.labels import MemberValue, class_names
from miagym.errors import DataError, UnknownName, check_whole
from miagym.scorefile.attacks import attacks_of
from miagym.scorefile.reading.columns import Columns
from miagym.scorefile.reading.file import ScoreFile, open_scores
from miagym.scorefile.reading.sides import SideLike, open_sides
from miagym.scorefile.reading.variants import stacked
from miagym.scorefile.sheet import score_sheet
from miagym.scorefile.stated import Statement

IN_MEMORY = "the given scores"
"""What errors and tables call scores that come from no file."""


def score(
    scores: str | Path | Mapping[str, Any] | Any = None,
    *,
    members: SideLike | None = None,
    nonmembers: SideLike | None = None,
    variants: Sequence[str | int] | None = None,
    optimistic: bool = False,
    columns: Columns | None = None,
    lower_is_member: bool = False,
    member_value: MemberValue | None = None,
    blind: Collection[str] = (),
    target: str | None = None,
    data: str | None = None,
    stated: Statement | None = None,
    seed: int = 0,
) -> ScoreReport:
    """Measures scores from any tool: intervals, controls, comparisons, and what looks wrong.

    >>> import numpy as np, miagym
    >>> member = np.arange(400) % 2 == 0
    >>> scores = np.random.default_rng(0).normal(size=400) + member
    >>> found = miagym.score({"score": scores, "member": member})
    >>> found["score"].auc
    0.737 [0.686–0.782]

    Args:
        scores: a file (CSV, TSV, JSON, JSON lines, parquet, NPZ, NPY), a data frame, or columns by
            name.
        members: instead of `scores`, those of members: a file (NPY, CSV, parquet, …) or an array,
            (n,) or (n, timesteps).
        nonmembers: the same of the others.
        variants: columns of scores that are variants of one attack, timesteps say. Without a
            calibration part, one is chosen on half of the candidates and measured on the other
            half. Of `members` and `nonmembers`, all columns are, if none is named.
        optimistic: choose among them on the same candidates as papers do, and say so.
        columns: which column is what.
        lower_is_member: whether low scores (a loss, say) mean members.
        member_value: the label that means member, where zero does, say; it may be in `columns` too.
        blind: names of attacks that never saw the model, besides miagym's own.
        target: name of the target, for the tables.
        data: name of the data, for the tables.
        stated: an AUC or TPR that somebody states, to be compared.
        seed: of resampling and shuffles.

    Raises:
        DataError: if it cannot be read, or values are missing or no scores.
        UnknownName: if a name in `blind` is no attack of the file.
    """
    check_whole(0, seed=seed)
    from attacks import blind_names

    named = None if variants is None else [str(each) for each in variants]
    file = _opened(scores, members, nonmembers, named)
    never_saw = {*blind, *blind_names()}
    columns = columns or Columns()
    if member_value is not None:
        columns = replace(columns, member_value=member_value)
    attacks = attacks_of(file, columns, lower_is_member, seed, never_saw, optimistic)
    for name in set(blind) - {attack.attack for attack in attacks}:
        raise UnknownName("attack of these scores", name, [attack.attack for attack in attacks])
    sheet = score_sheet(attacks, stated or Statement(), lower_is_member, seed, target, data)
    return ScoreReport(sheet, file.path.name)


def _opened(
    scores: Any,
    members: SideLike | None,
    nonmembers: SideLike | None,
    variants: Sequence[str] | None,
) -> ScoreFile:
    if (members is None) != (nonmembers is None) or (scores is None) == (members is None):
        raise DataError(
            "Expected scores with labels, or those of both sides, members and nonmembers; got "
            f"{_given(scores=scores, members=members, nonmembers=nonmembers)}."
        )
    if members is not None and nonmembers is not None:
        return open_sides(members, nonmembers, variants)
    file = open_scores(Path(scores)) if isinstance(scores, str | Path) else _in_memory(scores)
    return file if variants is None else stacked(file, variants)


def _given(**given: object) -> str:
    return " and ".join(name for name, value in given.items() if value is not None) or "nothing"


def _in_memory(scores: Any) -> ScoreFile:
    """Columns of a data frame or a mapping."""
    try:
        table = pa.table(dict(scores) if isinstance(scores, Mapping) else scores)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(
            "Expected a file of scores, a data frame, or columns by name, got "
            f"{type(scores).__name__} ({error})."
        ) from error
    names, classes = tuple(table.column_names), class_names(table.schema)
    return ScoreFile(Path(IN_MEMORY), names, table.column, classes=classes)
