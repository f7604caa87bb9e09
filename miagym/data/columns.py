"""Columns with a meaning, by which names they are known, and what they can hold."""

from __future__ import annotations

from collections.abc import Iterable

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

CAPTIONS = ("caption", "text")
"""Columns that hold captions, whatever their case: the first that is there. `text` is the name in
the data sets of diffusers and in metadata.csv, `TEXT` in LAION's tables."""
ALIASES = {"URL": "url"}
"""Other names of columns with a role: LAION's."""


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


def caption_column(names: Iterable[str]) -> str | None:
    """The column that holds the captions, if there is one."""
    found = list(names)
    for wanted in CAPTIONS:
        if wanted in found:
            return wanted
        if near := next((name for name in found if name.lower() == wanted), None):
            return near
    return None


def renamed(table: pa.Table) -> pa.Table:
    """A table whose columns with a role are called as in `ROLES`."""
    called = {ours: theirs for theirs, ours in ALIASES.items()}
    called["caption"] = caption_column(table.column_names) or "caption"
    taken = {theirs: ours for ours, theirs in called.items() if ours not in table.column_names}
    again = table.rename_columns([taken.get(name, name) for name in table.column_names])
    return again.replace_schema_metadata(table.schema.metadata)  # which names classes
