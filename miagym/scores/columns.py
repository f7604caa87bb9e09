"""What the columns of a score file mean: which holds what, and its values as numbers and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.errors import DataError
from miagym.scores.file import ScoreFile

NONE = "-"
"""Instead of a column's name: no column has this role."""
CALIBRATION, TEST, NULL, PAPER = "calibration", "test", "null", "paper"
PARTS = {
    CALIBRATION: ("calibration", "calib", "cal", "validation", "valid", "val", "dev", "train"),
    TEST: ("test", "eval", "evaluation", "held-out"),
    NULL: ("null",),
    PAPER: ("paper",),
}
"""Spellings of a part, case aside. `null` are scores on a target that saw neither side; `paper` are
variants on the test part which the calibration part did not choose, as in our run folders."""
MEMBER = {"true", "yes", "y", "t", "1", "1.0", "member", "members"}
NONMEMBER = {"false", "no", "n", "f", "0", "0.0", "nonmember", "nonmembers"}
"""Labels in words, without case, spaces, hyphens and underscores."""
MISSING = {"", "na", "n/a", "nan", "none", "null"}

OTHER_NAMES = {
    "score": "scores pred preds prediction prob proba probability confidence logit loss mia_score",
    "member": "label labels is_member ismember membership members y y_true truth target in_train",
}
OWN_NAMES = {
    "attack": ("attack",),
    "variant": ("variant",),
    "part": ("part",),
    "id": ("id", "candidate"),
    "caption": ("caption",),
}
"""Columns that have a role by their name, where no option says otherwise."""


@dataclass(frozen=True)
class Columns:
    """Which column plays which role: None is the one in `OWN_NAMES`, if there is one."""

    score: tuple[str, ...] = ("score",)
    """Several are several attacks on the same candidates."""
    member: str = "member"
    attack: str | None = None
    variant: str | None = None
    part: str | None = None
    id: str | None = None
    caption: str | None = None

    def among(self, file: ScoreFile) -> dict[str, str]:
        """The name of the column of each role that is played, scores aside.

        Raises:
            DataError: if the file lacks a column that was asked for.
        """
        for name in self.score:
            _require(file, "score", name)
        _require(file, "member", self.member)
        played = {"member": self.member}
        for role, own in OWN_NAMES.items():
            name = getattr(self, role)
            if name is None:
                name = next((name for name in own if name in file.names), NONE)
            if name != NONE:
                _require(file, role, name)
                played[role] = name
        if len(self.score) > 1 and self.attack is None:
            played.pop("attack", None)
        return played


def score_values(file: ScoreFile, name: str) -> NDArray[np.float64]:
    """Scores (n,), all finite.

    Raises:
        DataError: if one is missing, NaN or infinite, or no number.
    """
    column = _plain(file.column(name))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        values = _numbers(column, name, file)
    elif _is_number(column.type):
        values = column.cast(pa.float64(), safe=False).to_numpy()
    else:
        raise DataError(f"{file.path}: `{name}` holds {column.type}; expected numbers.")
    infinite, missing = np.isinf(values), np.isnan(values)
    wrong = np.flatnonzero(infinite | missing)
    if len(wrong):
        raise DataError(
            f"{file.path}: {len(wrong):,} of {len(values):,} values of `{name}` are no finite "
            f"scores ({int(missing.sum()):,} missing or NaN, {int(infinite.sum()):,} infinite; "
            f"the first in {_rows(wrong)}); mend them, since none is dropped silently."
        )
    return values


def labels(file: ScoreFile, name: str) -> NDArray[np.bool_]:
    """Labels (n,): bool, 0 and 1, or words such as true, yes, member and their opposites.

    Raises:
        DataError: if a value is none of these.
    """
    words = {**dict.fromkeys(MEMBER, True), **dict.fromkeys(NONMEMBER, False)}
    expected = "true or false, yes or no, 1 or 0, member or nonmember"
    return _translated(file, name, words, expected).astype(np.bool_)


def parts(file: ScoreFile, name: str) -> NDArray[np.str_]:
    """The part of each row (n,), as `PARTS` spells it first.

    Raises:
        DataError: if a value is no part.
    """
    words = {spelling.replace("-", ""): part for part, all_ in PARTS.items() for spelling in all_}
    expected = "calibration (or validation, val, dev, train) or test (or eval)"
    return _translated(file, name, words, expected).astype(np.str_)


def codes(file: ScoreFile, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """The values of a column of names as numbers (n,) in order of appearance, and the names.

    Raises:
        DataError: if a value is missing.
    """
    column = texts(file, name)
    missing = np.flatnonzero([not value for value in column.to_pylist()])
    if len(missing):
        raise DataError(
            f"{file.path}: `{name}` has no value in {_rows(missing)}; fill it, or leave the column "
            "out."
        )
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def texts(file: ScoreFile, name: str) -> pa.ChunkedArray:
    """A column of strings, whatever it holds.

    Raises:
        DataError: if its kind cannot be written as text.
    """
    column = _plain(file.column(name))
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: `{name}` holds {column.type}; expected text.") from error


def _require(file: ScoreFile, role: str, name: str) -> None:
    if name in file.names:
        return
    near = [
        n for n in file.names if n.lower() in (name.lower(), *OTHER_NAMES.get(role, "").split())
    ]
    hint = ""
    if near:
        lower = " --lower-is-member" if near[0].lower() == "loss" else ""
        hint = f"; did you mean --{role} {near[0]}{lower}?"
    elif any(_is_numeral(n) for n in file.names):
        hint = "; its first line seems to hold values, so put a line with names above it."
    found = ", ".join(n[:40] for n in file.names[:12] if n) or "none"
    raise DataError(f"{file.path} has no column `{name}`, found {found}{hint or '.'}")


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as what they stand for."""
    is_coded = pa.types.is_dictionary(column.type)
    return column.cast(column.type.value_type) if is_coded else column


def _is_number(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(check(kind) for check in checks)


def _numbers(column: pa.ChunkedArray, name: str, file: ScoreFile) -> NDArray[np.float64]:
    """Numbers written as text, NaN where there is none."""
    values = np.empty(len(column))
    for row, text in enumerate(column.to_pylist()):
        bare = (text or "").strip()
        if file.decimal_comma:
            bare = bare.replace(",", ".")
        try:
            values[row] = np.nan if bare.lower() in MISSING else float(bare)
        except ValueError as error:
            raise DataError(
                f"{file.path}: row {row + 1} of the data has {bare[:40]!r} as `{name}`; expected a "
                "number."
            ) from error
    return values


def _translated(
    file: ScoreFile, name: str, words: Mapping[str, object], expected: str
) -> NDArray[np.object_]:
    """Each value (n,) by what its word means."""
    encoded = texts(file, name).combine_chunks().dictionary_encode(null_encoding="encode")
    place, found = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    meaning = np.empty(len(found), dtype=object)
    for number, value in enumerate(found):
        word = "" if value is None else value.strip().lower()
        word = word.translate(str.maketrans("", "", " -_"))
        if word not in words:
            row = int(np.flatnonzero(place == number)[0]) + 1
            shown = "no value" if value is None else f"{value[:40]!r}"
            raise DataError(
                f"{file.path}: row {row} of the data has {shown} as `{name}`; expected {expected}."
            )
        meaning[number] = words[word]
    return meaning[place] if len(found) else np.empty(0, dtype=object)


def _rows(indices: Sequence[int] | NDArray[np.integer]) -> str:
    """The first rows of many, counted from 1, in words."""
    first = [f"{index + 1:,}" for index in indices[:3]]
    more = ", ..." if len(indices) > 3 else ""
    return f"row{'s' if len(indices) > 1 else ''} {', '.join(first)}{more}"


def _is_numeral(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
