"""Columns that mean something to us, and what they can hold."""

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
    """Whether it is of the kind of pictures and embeddings, not text, numbers or truth values."""
    checks = (
        pa.types.is_nested,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
    )
    return any(check(kind) for check in checks)
