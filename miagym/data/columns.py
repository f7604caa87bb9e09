"""Columns with a meaning, what they can hold, and what a label may say."""

from __future__ import annotations

import pyarrow as pa

from miagym.errors import DataError

ROLES = {
    "caption": "text",
    "member": "true or false",
    "group": "text or numbers",
    "part": "text",
    "url": "text",
    "aesthetic": "numbers",
}
"""What each holds, in words; `image` is not among them, since pictures are read apart."""

MEMBER = ("true", "t", "yes", "y", "1", "1.0", "member", "members")
NONMEMBER = (
    *("false", "f", "no", "n", "0", "0.0"),
    *(f"non{joint}member{s}" for joint in ("", "-", "_", " ") for s in ("", "s")),
)
EXPECTED = "true or false, yes or no, 1 or 0, member or nonmember"
"""For error sentences: the usual ones."""

_MEANING = {**dict.fromkeys(MEMBER, True), **dict.fromkeys(NONMEMBER, False)}


def check_roles(table: pa.Table, name: str) -> None:
    """Refuses lists, records and bytes where text or numbers belong.

    Nobody could say which caption of a list is meant, and to leave such a column out would judge
    the data without it.

    Raises:
        DataError: if a column with a role holds them.
    """
    for column, expected in ROLES.items():
        if column not in table.column_names:
            continue
        kind = table[column].type
        inner = kind.value_type if pa.types.is_dictionary(kind) else kind
        if is_bulky(inner) or pa.types.is_fixed_size_binary(inner):
            raise DataError(f"{name}: `{column}` must be {expected}, it is {kind}.")


def is_bulky(kind: pa.DataType) -> bool:
    """Whether a type is that of pictures or embeddings, not text, numbers or truth values."""
    checks = (
        pa.types.is_nested,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
    )
    return any(check(kind) for check in checks)


def label_of(value: object) -> bool | None:
    """Reads a label: whether a value stands for a member, whatever its case and spaces around it.

    Hyphens stay where they are, since -1 is not 1.

    Returns:
        None if it is no label, such as a missing value, NaN or 2.
    """
    return _MEANING.get(str(value).strip().lower())
