"""What a column of labels says: words, numbers, and class numbers whose names the file carries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.errors import DataError

MEMBER = ("true", "t", "yes", "y", "1", "1.0", "member", "members")
NONMEMBER = (
    *("false", "f", "no", "n", "0", "0.0"),
    *(f"non{joint}member{s}" for joint in ("", "-", "_", " ") for s in ("", "s")),
)
EXPECTED = "true or false, yes or no, 1 or 0, member or nonmember"
"""For error sentences: the usual ones."""
SECOND = frozenset({"member", "ismember", "membership", "intrain"})
"""Names that only labels have, without case and joints."""
MAX_SHOWN = 5
"""Most values that an error lists."""

_MEANING = {**dict.fromkeys(MEMBER, True), **dict.fromkeys(NONMEMBER, False)}

MemberValue = str | int | float | bool
"""The value that stands for members, where somebody says so."""


class NotALabel(Exception):
    """A value that stands for neither side.

    Args:
        row: where it first stands, from 0.
        shown: the value, in words.
        expected: what could stand there, in words.
    """

    def __init__(self, row: int, shown: str, expected: str) -> None:
        super().__init__(row, shown, expected)
        self.row, self.shown, self.expected = row, shown, expected


@dataclass(frozen=True)
class Meaning:
    """How labels are told from values, besides what the values say.

    Args:
        classes: names of the numbers in a column, if the file carries them; they decide.
        member_value: what stands for members, if somebody says so; there may be one other value.
    """

    classes: Sequence[str] | None = None
    member_value: MemberValue | None = None


def label_of(value: object) -> bool | None:
    """Reads a label: whether a value stands for a member, whatever its case and spaces around it.

    Hyphens stay where they are, since -1 is not 1.

    Returns:
        None if it is no label, such as a missing value, NaN or 2.
    """
    return _MEANING.get(str(value).strip().lower())


def read_labels(column: pa.ChunkedArray, meaning: Meaning | None = None) -> NDArray[np.bool_]:
    """Labels (n,) of a column of whatever kind; the one interpreter of all readers.

    Raises:
        NotALabel: if a value stands for neither side, or nobody can say for which.
    """
    meaning = meaning or Meaning()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    place, values = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    first = np.unique(place, return_index=True)[1].tolist()
    known = [_named(value, meaning.classes, row) for value, row in zip(values, first, strict=True)]
    if meaning.member_value is None:
        labels = [label_of(value) for value in known]
    else:
        labels = _by_value(known, meaning.member_value)
    for value, own, label, row in zip(values, known, labels, first, strict=True):
        if label is None:
            named = "" if own is value else f", which the file names {own!r}"
            raise NotALabel(row, _shown(value) + named, EXPECTED)
    return np.array(labels, dtype=bool)[place] if values else np.empty(0, dtype=bool)


def table_labels(
    column: pa.ChunkedArray,
    classes: Sequence[str] | None,
    of: str,
    member_value: MemberValue | None = None,
) -> NDArray[np.bool_]:
    """Labels (n,) of the column `member` of a data set that messages call `of`.

    Raises:
        DataError: if a value is none.
    """
    if column.null_count:
        raise DataError(f"{of}: {column.null_count} rows have no value for `member`.")
    try:
        return read_labels(column, Meaning(classes, member_value))
    except NotALabel as error:
        raise DataError(
            f"{of}: `member` must be {error.expected}; row {error.row} has {error.shown}."
        ) from error


def class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Names of the numbers in columns, as `datasets` writes them into a file (`ClassLabel`)."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("names")
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def second_labels(names: Iterable[str], member: str) -> list[str]:
    """Columns that by their names hold labels too."""
    return [
        name
        for name in names
        if name != member and name.lower().translate(str.maketrans("", "", " -_")) in SECOND
    ]


def check_second(
    columns: Mapping[str, pa.ChunkedArray],
    member: NDArray[np.bool_],
    of: str,
    name: str = "`member`",
    classes: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Refuses a second column of labels that says otherwise; one that holds none is no matter.

    Args:
        columns: those that by their names hold labels too.
        member: the labels (n,) that are taken.
        of: what messages call the data.
        name: what messages call the labels that are taken.
        classes: names of the numbers in columns.

    Raises:
        DataError: if they differ.
    """
    for other, column in columns.items():
        try:
            found = read_labels(column, Meaning((classes or {}).get(other)))
        except (NotALabel, pa.ArrowException):
            continue
        differs = np.flatnonzero(found != member) if len(found) == len(member) else []
        if len(differs):
            raise DataError(
                f"{of} has two columns of labels that contradict each other: {name} and "
                f"`{other}` differ in {len(differs):,} of {len(member):,} rows (row {differs[0]} "
                "first, from 0); drop or rename the wrong one."
            )


def _named(value: object, classes: Sequence[str] | None, row: int) -> object:
    """The name of a class number; a value that contradicts the names is refused."""
    if not classes or value is None:
        return value
    listed = ", ".join(map(repr, classes[:MAX_SHOWN]))
    if isinstance(value, str):
        if value in classes:
            return value
    elif isinstance(value, bool):
        if int(value) < len(classes) and label_of(classes[int(value)]) is value:
            return value
    elif isinstance(value, int | float) and value in range(len(classes)):
        return classes[int(value)]
    raise NotALabel(row, _shown(value), f"one of the classes that the file names ({listed})")


def _by_value(values: Sequence[object], member_value: MemberValue) -> list[bool | None]:
    labels = [None if value is None else _same(value, member_value) for value in values]
    there = [value for value in values if value is not None]
    shown = ", ".join(map(_shown, there[:MAX_SHOWN])) + (", …" if len(there) > MAX_SHOWN else "")
    if True not in labels:
        raise NotALabel(0, f"{shown} (all there is)", f"{member_value!r} for members")
    if len(there) > 2:
        row = next(i for i, value in enumerate(values) if value is not None)
        raise NotALabel(row, shown, f"{member_value!r} and one other value")
    return labels


def _same(value: object, member_value: MemberValue) -> bool:
    one, other = (str(each).strip().lower() for each in (value, member_value))
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _shown(value: object) -> str:
    return "no value" if value is None else repr(str(value)[:40])
