"""What the columns of a score file mean: which holds what, and its values as numbers and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.data.columns import CAPTIONS
from miagym.data.labels import (
    Meaning,
    MemberValue,
    NotALabel,
    check_second,
    read_labels,
    second_labels,
)
from miagym.errors import DataError, option, told
from miagym.scorefile.reading.file import ScoreFile
from miagym.scorefile.reading.numbers import numbers, plain, require_finite, row_names

MEMBER = "member"
"""The column of labels, where no other is named."""
NONE = "-"
"""Instead of a column's name: no column has this role."""
CALIBRATION, TEST, NULL, PAPER = "calibration", "test", "null", "paper"
OTHER, GENERATED = "other", "generated"
PARTS = {
    CALIBRATION: ("calibration", "calib", "cal", "validation", "valid", "val", "dev", "train"),
    TEST: ("test", "eval", "evaluation", "held-out"),
    NULL: ("null",),
    PAPER: ("paper",),
    OTHER: ("other", "other generator"),
    GENERATED: ("generated",),
}
"""Spellings of a part, case aside. `null` are scores on a target that saw neither side; `paper` are
variants on the test part which the calibration part did not choose, as in our run folders;
`generated` are of the target's own pictures, which are nobody's members, and `other` are a
different generator's scores; both are passed over."""

OTHER_NAMES = {
    "score": "scores pred preds prediction prob proba probability confidence logit loss mia_score",
    "member": "label labels is_member ismember membership members y y_true truth target in_train",
}
OWN_NAMES = {
    "attack": ("attack",),
    "variant": ("variant",),
    "part": ("part",),
    "id": ("id", "candidate"),
    "caption": CAPTIONS,
    "group": ("group",),
}
"""Columns that have a role by their name, where no option says otherwise."""


@dataclass(frozen=True)
class Columns:
    """Which column plays which role: None is the one in `OWN_NAMES`, if there is one."""

    score: tuple[str, ...] = ("score",)
    """Several are several attacks on the same candidates; with a column of attacks, each attack is
    scored by each of them."""
    member: str = MEMBER
    attack: str | None = None
    variant: str | None = None
    part: str | None = None
    id: str | None = None
    caption: str | None = None
    group: str | None = None
    member_value: MemberValue | None = None
    """What stands for members, where it is not 1, true or a word that says so."""

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
        return played


def finite_numbers(file: ScoreFile, name: str) -> NDArray[np.float64]:
    """Scores, or budgets, or what was spent (n,); all finite.

    Raises:
        DataError: if one is missing, NaN or infinite, or no number.
    """
    values = numbers(file.column(name), name, file.path, file.decimal_comma)
    require_finite(values, name, file.path)
    return values


def labels(
    file: ScoreFile, name: str, member_value: MemberValue | None = None
) -> NDArray[np.bool_]:
    """Labels (n,): bool, 0 and 1, words such as true, yes, member and their opposites, or classes.

    Args:
        file: with the labels.
        name: of their column; of the one that is taken by its name, no second may say otherwise.
        member_value: what stands for members, where the values themselves do not say it.

    Raises:
        DataError: if a value is none of these, or a second column of labels contradicts.
    """
    column = file.column(name)
    try:
        found = read_labels(column, Meaning(file.classes.get(name), member_value))
    except NotALabel as error:
        raise DataError(
            f"{file.path}: row {error.row + 1} of the data has {error.shown} as `{name}`; expected "
            f"{error.expected}{_named() if member_value is None else ''}."
        ) from error
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: `{name}` holds {column.type}; expected labels.") from error
    if name == MEMBER and member_value is None:
        others = {other: file.column(other) for other in second_labels(file.names, name)}
        check_second(others, found, str(file.path), classes=file.classes)
    return found


def label_words(file: ScoreFile, name: str, member: NDArray[np.bool_]) -> tuple[str, str] | None:
    """What stands in the file for a member and for a non-member; None if a side is empty."""
    if member.all() or not member.any():
        return None
    column = plain(file.column(name))
    values = [column[int(np.argmax(side))].as_py() for side in (member, ~member)]
    classes = file.classes.get(name)
    named = [classes[v] if classes and isinstance(v, int) else v for v in values]
    return str(named[0]), str(named[1])


def parts(file: ScoreFile, name: str) -> NDArray[np.str_]:
    """The part of each row (n,), as `PARTS` spells it first.

    Raises:
        DataError: if a value is no part.
    """
    words = {_bare(spelling): part for part, all_ in PARTS.items() for spelling in all_}
    expected = "calibration (or validation, val, dev, train) or test (or eval)"
    return _translated(file, name, lambda text: words.get(_bare(text)), expected).astype(np.str_)


def codes(file: ScoreFile, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """The values of a column of names as numbers (n,) in order of appearance, and the names.

    Raises:
        DataError: if a value is missing.
    """
    column = texts(file, name)
    missing = np.flatnonzero([not value for value in column.to_pylist()])
    if len(missing):
        raise DataError(
            f"{file.path}: `{name}` has no value in {row_names(missing)}; fill it, or leave the "
            "column out."
        )
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def texts(file: ScoreFile, name: str) -> pa.ChunkedArray:
    """A column of strings, whatever it holds.

    Raises:
        DataError: if its kind cannot be written as text.
    """
    column = plain(file.column(name))
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: `{name}` holds {column.type}; expected text.") from error


def role_option(role: str, name: str | None = None) -> str:
    """How a caller is told of the option that names a column."""
    given = f"({name!r},)" if role == "score" and name is not None else repr(name)
    return told(option(role, name), f"Columns({role}={'...' if name is None else given})")


def _named() -> str:
    return f", or name the value that stands for members ({option('member_value')})"


def _require(file: ScoreFile, role: str, name: str) -> None:
    if name in file.names:
        return
    near = [
        n for n in file.names if n.lower() in (name.lower(), *OTHER_NAMES.get(role, "").split())
    ]
    hint = ""
    if near:
        lower = f" {option('lower_is_member')}" if near[0].lower() == "loss" else ""
        hint = f"; did you mean {role_option(role, near[0])}{lower}?"
    elif any(_is_numeral(n) for n in file.names):
        hint = "; its first line seems to hold values, so put a line with names above it."
    found = ", ".join(n[:40] for n in file.names[:12] if n) or "none"
    raise DataError(f"{file.path} has no column `{name}`, found {found}{hint or '.'}")


def _translated(
    file: ScoreFile, name: str, meaning_of: Callable[[str], object], expected: str
) -> NDArray[np.object_]:
    """What each value (n,) means; None is no meaning."""
    encoded = texts(file, name).combine_chunks().dictionary_encode(null_encoding="encode")
    place, found = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    meaning = np.empty(len(found), dtype=object)
    for number, value in enumerate(found):
        meaning[number] = None if value is None else meaning_of(value)
        if meaning[number] is None:
            row = int(np.flatnonzero(place == number)[0]) + 1
            shown = "no value" if value is None else f"{value[:40]!r}"
            raise DataError(
                f"{file.path}: row {row} of the data has {shown} as `{name}`; expected {expected}."
            )
    return meaning[place] if len(found) else np.empty(0, dtype=object)


def _bare(text: str) -> str:
    """Without case, spaces, hyphens and underscores."""
    return text.lower().translate(str.maketrans("", "", " -_"))


def _is_numeral(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
