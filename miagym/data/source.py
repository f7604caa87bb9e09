"""Labelled rows before they are split: captions, labels and other columns, perhaps pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.data.columns import caption_column, check_roles, renamed
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.labels import MemberValue, check_second, class_names, second_labels, table_labels
from miagym.data.pictures import Picture
from miagym.data.seen import NOTHING, Seen, by_side, warnings_of
from miagym.data.splits import deal
from miagym.data.text_marks import without_marks
from miagym.errors import DataError

SPLIT_SEED = 0

MAX_SHOWN = 5
"""Most values that an error lists."""


@dataclass(frozen=True, eq=False)
class Source:
    """Labelled rows that are not yet split into calibration and test.

    Args:
        name: what messages call it.
        table: one row per picture: `caption` and `member`, and if there are any `group`, `part`,
            `url`, `aesthetic` and others.
        pictures: encoded pictures, or the files that hold them (n), in memory or lazy; None if
            there is no such column.
        seen: what the reader saw besides.
        names: what the data call each row (n): its file; None if they name none.
    """

    name: str
    table: pa.Table
    pictures: Sequence[Picture] | None
    seen: Seen = NOTHING
    names: tuple[str | None, ...] | None = None

    @classmethod
    def of(
        cls,
        name: str,
        table: pa.Table,
        pictures: Sequence[Picture] | None,
        seen: Seen | None = None,
        names: Sequence[str | None] | None = None,
        member_value: MemberValue | None = None,
    ) -> Source:
        """Makes a source of a table: checks it, and fills in what may be left out.

        Class numbers are read by the names that the table carries, captions come from `text`
        where there is no `caption`, and lose what nobody sees at their ends. `member_value` stands
        for members, where the values themselves do not say it.

        Raises:
            DataError: if it lacks `member`, or a column holds what it cannot.
        """
        captions_in, table = caption_column(table.column_names), renamed(table)
        if "member" not in table.column_names:
            raise DataError(
                f"{name} lacks the column member; found {', '.join(table.column_names) or 'none'}."
            )
        check_roles(table, name)
        columns = {column: table[column] for column in table.column_names}
        classes = class_names(table.schema)
        member = table_labels(table["member"], classes.get("member"), name, member_value)
        if member_value is None:
            others = {other: table[other] for other in second_labels(table.column_names, "member")}
            check_second(others, member, name, classes=classes)
        captions = _captions(table, name)
        columns["member"] = pa.array(member)
        columns["caption"] = pa.array(captions, type=pa.string())
        if seen is None:
            places = [f"column {captions_in}" if text else None for text in captions]
            seen = Seen(by_side(places, member))
        called = None if names is None else tuple(names)
        return cls(name, pa.table(columns), pictures, seen, called)

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def member(self) -> NDArray[np.bool_]:
        """Labels (n,)."""
        return self.table["member"].to_numpy()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about captions and what lies beside them, in sentences."""
        return warnings_of(self.captions, self.member, self.seen)

    @property
    def captions(self) -> tuple[str, ...]:
        """Texts (n), "" for none."""
        return tuple(self.table["caption"].to_pylist())

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Group number of each row (n,), if there is a column `group`; no value, own group."""
        if "group" not in self.table.column_names:
            return None
        names = [
            (i,) if value in (None, "") else str(value)
            for i, value in enumerate(self.table["group"].to_pylist())
        ]
        number = {name: i for i, name in enumerate(dict.fromkeys(names))}
        return np.array([number[name] for name in names], dtype=np.int64)

    def dataset(self) -> Dataset:
        """Splits the rows by the column `part`, else a third of the groups calibrates.

        Raises:
            DataError: if there are no pictures, or a part lacks a side.
        """
        pictures = self.require_pictures()
        groups = self.groups
        if "part" in self.table.column_names:
            part = _stated_parts(self.table["part"].to_pylist(), self.name)
        else:
            part = parts(np.arange(len(self)) if groups is None else groups, self.member)
        return Dataset(
            self.name, pictures, self.captions, self.member, part, groups, self.seen, self.names
        )

    def require_pictures(self) -> Sequence[Picture]:
        """Pictures of all rows.

        Raises:
            DataError: if there are none, in a sentence that says what to do.
        """
        if self.pictures is not None:
            return self.pictures
        if "url" in self.table.column_names:
            raise DataError(
                f"{self.name} has links and no pictures; `miagym data fetch` gets them and writes "
                "a file that can be used."
            )
        raise DataError(
            f"{self.name} lacks the column image (found {', '.join(self.table.column_names)}): an "
            "evaluation needs pictures; `miagym audit` does with captions."
        )


def parts(groups: NDArray[np.integer], member: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Deals groups into a third that calibrates and the rest that tests, both sides alike."""
    strata = ["member" if m else "non-member" for m in member]
    return deal(groups, strata, {CALIBRATION: 1, TEST: 2}, SPLIT_SEED)


def _stated_parts(values: list[object], name: str) -> NDArray[np.str_]:
    wrong = {_shown(value) for value in values if value not in (CALIBRATION, TEST)}
    if wrong:
        more = f" and {len(wrong) - MAX_SHOWN:,} more" if len(wrong) > MAX_SHOWN else ""
        raise DataError(
            f"{name}: `part` must be {CALIBRATION!r} or {TEST!r}, found "
            f"{', '.join(sorted(wrong)[:MAX_SHOWN])}{more}."
        )
    return np.array(values, dtype=np.str_)


def _shown(value: object) -> str:
    if value is None:
        return "no value"
    return repr(value[:40]) if isinstance(value, str) else str(value)


def _captions(table: pa.Table, name: str) -> list[str]:
    if "caption" not in table.column_names:
        return [""] * table.num_rows
    column = table["caption"]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, types = column.type, pa.types
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if not (is_text or types.is_null(kind)):
        raise DataError(f"{name}: `caption` must be text, it is {kind}.")
    return [without_marks(caption or "") for caption in column.to_pylist()]
