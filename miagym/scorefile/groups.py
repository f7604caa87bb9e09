"""A score file cut up: rows by attack, by part and by variant, each cut checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from miagym.data.text_marks import without_marks
from miagym.errors import DataError
from miagym.metrics.groups.clusters import check_groups
from miagym.scorefile.reading.columns import (
    CALIBRATION,
    NULL,
    PAPER,
    TEST,
    Columns,
    codes,
    finite_numbers,
    label_words,
    labels,
    parts,
    role_option,
    texts,
)
from miagym.scorefile.reading.file import ScoreFile
from miagym.scorefile.rows import Rows, Variants, same_candidates, split

OUR_RUN = {"target", "data", "attack", "variant", "part", "candidate", "member", "budget", "score"}
"""Columns of a run folder's scores.parquet."""
SPENT = ("queries", "unet_rows", "backward_rows")
"""Columns of what a candidate has cost, which it may have too."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """The columns of a file, read."""

    file: ScoreFile
    columns: Columns
    sign: float

    @cached_property
    def roles(self) -> dict[str, str]:
        return self.columns.among(self.file)

    @cached_property
    def is_run(self) -> bool:
        """Whether it is the scores.parquet of a run folder."""
        return set(self.file.names) >= OUR_RUN and set(self.roles) >= {"attack", "variant", "part"}

    @cached_property
    def everything(self) -> Rows:
        """All rows; the scores are those of the first attack."""
        roles, score = self.roles, self.first
        member = labels(self.file, roles["member"], self.columns.member_value)
        self.check_length(roles["member"], len(member))
        ids = self.coded("id")[0] if "id" in roles else None
        captions = None
        if "caption" in roles:
            column = texts(self.file, roles["caption"]).fill_null("")
            captions = np.array([without_marks(text) for text in column.to_pylist()], dtype=object)
            self.check_length(roles["caption"], len(captions))
        groups = self.group_numbers
        return Rows(score, member, np.arange(len(score)), ids, captions, groups=groups)

    @cached_property
    def label_words(self) -> tuple[str, str] | None:
        """What stands for a member and for a non-member in the file."""
        return label_words(self.file, self.roles["member"], self.everything.member)

    @cached_property
    def group_numbers(self) -> NDArray[np.int64] | None:
        """The group of each row (n,); in a run folder, whose data need know none, a row's own."""
        if "group" not in self.roles:
            return None
        if not self.is_run:
            return self.coded("group")[0]
        given = self.file.column(self.roles["group"])
        if given.null_count == len(given):
            return None
        known = given.is_valid().to_numpy()
        alone = -1 - np.arange(len(given))
        return np.where(known, given.fill_null(0).to_numpy(), alone)

    @cached_property
    def first(self) -> NDArray[np.float64]:
        """The scores of the first attack, which tell how many rows there are."""
        return self.scores(self.columns.score[0])

    def scores(self, name: str) -> NDArray[np.float64]:
        return self.sign * finite_numbers(self.file, name)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Some numbers of each row (n,), all finite, that are no scores."""
        found = finite_numbers(self.file, name)
        self.check_length(name, len(found))
        return found

    @cached_property
    def spent(self) -> dict[str, NDArray[np.float64] | None]:
        """Queries and rows (n,) that each row of a run folder has cost; None if unknown."""
        known = self.file.names if self.is_run else ()
        return {name: self.numbers(name) if name in known else None for name in SPENT}

    def coded(self, role: str) -> tuple[NDArray[np.int64], list[str]]:
        return self.named(self.roles[role])

    def named(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        found = codes(self.file, name)
        self.check_length(name, len(found[0]))
        return found

    def check_length(self, name: str, length: int) -> None:
        n = len(self.first)
        if length != n:
            raise DataError(
                f"{self.file.path}: `{self.columns.score[0]}` has {n:,} values and `{name}` "
                f"{length:,}; expected as many."
            )

    def groups(self) -> Iterator[tuple[str, str | None, str | None, Rows]]:
        """Attack, target, data and rows; each attack as often as there are columns of scores."""
        scored = {name: self.scored(name) for name in self.columns.score}
        if "attack" not in self.roles:
            for name, rows in scored.items():
                yield name, None, None, rows
            return
        for attack, target, data, places in self._attacks():
            for name, rows in scored.items():
                label = attack if len(scored) == 1 else f"{attack} ({name})"
                yield label, target, data, rows.take(places)

    def scored(self, name: str) -> Rows:
        """All rows, with the scores of one column."""
        score = self.first if name == self.columns.score[0] else self.scores(name)
        self.check_length(name, len(score))
        return replace(self.everything, score=score)

    def _attacks(self) -> Iterator[tuple[str, str | None, str | None, NDArray[np.intp]]]:
        """Attack, target, data, and which rows are its own."""
        attack, names = self.coded("attack")
        if not self.is_run:
            for number, places in enumerate(split(attack)):
                yield names[number], None, None, places
            return
        (target, targets), (data, datas) = (self.named(name) for name in ("target", "data"))
        full = self.at_full_budget([target, data, attack])
        key = (target * len(datas) + data) * len(names) + attack
        for rows in split(key[full]):
            first = full[rows[0]]
            yield names[attack[first]], targets[target[first]], datas[data[first]], full[rows]

    def at_full_budget(self, who: Sequence[NDArray[np.int64]]) -> NDArray[np.intp]:
        """Rows that are an attack's own scores: those at the highest budget of each variant."""
        budget = self.numbers("budget")
        key = np.zeros(len(budget), dtype=np.int64)
        for code in (*who, *(self.coded(role)[0] for role in ("part", "variant"))):
            key = key * (code.max() + 1) + code
        groups = split(key)
        return np.sort(np.concatenate([g[budget[g] == budget[g].max()] for g in groups]))

    @cached_property
    def part(self) -> NDArray[np.str_] | None:
        if "part" not in self.roles:
            return None
        found = parts(self.file, self.roles["part"])
        self.check_length(self.roles["part"], len(found))
        return found

    @cached_property
    def variant(self) -> tuple[NDArray[np.int64], list[str]] | None:
        return self.coded("variant") if "variant" in self.roles else None

    def by_part(self, rows: Rows, attack: str) -> dict[str, Variants]:
        """The rows of an attack by part and variant, checked."""
        found: dict[str, Variants] = {}
        for part in (CALIBRATION, TEST, NULL, PAPER):
            here = rows
            if self.part is not None:
                here = rows.take(self.part[rows.place] == part)
            elif part != TEST:
                continue
            if not len(here):
                continue
            variants = {"": here}
            if self.variant is not None:
                code, names = self.variant
                own = code[here.place]
                variants = {names[own[group[0]]]: here.take(group) for group in split(own)}
            where = f"the {part} part of {attack}" if self.part is not None else attack
            found[part] = self.aligned(variants, where)
        return found

    def aligned(self, variants: Variants, where: str) -> Variants:
        for rows in variants.values():
            self._check(rows, where)
        first = next(iter(variants.values()))
        aligned = {name: same_candidates(rows, first) for name, rows in variants.items()}
        checked = {name: rows for name, rows in aligned.items() if rows is not None}
        if len(checked) < len(variants):
            odd = next(name for name, rows in aligned.items() if rows is None)
            raise DataError(
                f"{self.file.path}: in {where}, variant {odd!r} is not scored on the same "
                f"candidates as variant {next(iter(variants))!r}; score all on all, or give "
                f"{role_option('id')}."
            )
        return checked

    def _check(self, rows: Rows, where: str) -> None:
        members = int(rows.member.sum())
        if members in (0, len(rows)):
            missing, there = (
                ("members", "non-members") if not members else ("non-members", "members")
            )
            raise DataError(
                f"{self.file.path}: {where} has {len(rows):,} {there} and no {missing}; both are "
                "needed."
            )
        if rows.groups is not None:
            check_groups(rows.groups, rows.member, f"{self.file.path}: {where}")
        if rows.id is None:
            return
        _, first, count = np.unique(rows.id, return_index=True, return_counts=True)
        if (count > 1).any():
            name = self.coded("id")[1][rows.id[first[count > 1].min()]]
            raise DataError(
                f"{self.file.path}: ids appear more than once in {where} "
                f"({int((count > 1).sum()):,} of them, such as {name[:60]!r}); drop the copies, "
                "since each counts as a new candidate, or name the column that tells them apart "
                f"({', '.join(map(role_option, ('attack', 'variant', 'part')))}; "
                f"{role_option('id', '-')} if these are no ids)."
            )
