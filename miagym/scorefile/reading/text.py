"""Columns from text: what stands between separators (CSV, TSV), and JSON in its usual shapes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from miagym.data.text_marks import decoded
from miagym.errors import DataError

SEPARATORS = ",;\t|"


def text_of(content: bytes, file: str) -> str:
    """Decodes UTF-8, or UTF-16 and UTF-32 by their marks.

    Raises:
        DataError: if it is no text.
    """
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is neither a known binary file nor text in UTF-8 (byte {error.start} is "
            f"0x{content[error.start]:02x}); save it as CSV in UTF-8, parquet, JSON or NPZ."
        ) from error
    if "\0" in text:
        raise DataError(
            f"{file} holds zero bytes, so it is no text, and no binary file that miagym knows; "
            "save it as CSV in UTF-8, parquet, JSON or NPZ."
        )
    return text


def separated_columns(text: str, file: str) -> tuple[tuple[str, ...], list[Sequence[str]], str]:
    """Names, values by column, and the separator, which is the commonest one of the first line.

    Raises:
        DataError: if lines differ in their number of fields, a quote is never closed, or there are
            no lines after the names.
    """
    text = text.lstrip("\r\n")
    first = text[: text.find("\n")] if "\n" in text else text
    bare = "".join(first.split('"')[::2])  # without what stands in quotes
    delimiter = max(SEPARATORS, key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        names = tuple(name.strip() for name in next(reader))
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
            elif row:
                raise DataError(
                    f"{file}: line {reader.line_num} has {len(row)} fields, the first line has "
                    f"{len(names)} ({_shown(names)}); mend that line."
                )
    except csv.Error as error:
        raise DataError(f"{file}: line {reader.line_num} is broken: {error}.") from error
    if not rows:
        raise DataError(f"{file} has names of columns ({_shown(names)}) and no rows below them.")
    return names, list(zip(*rows, strict=True)), delimiter


def with_names(text: str, file: str) -> str:
    """The same text with 0, 1, … for names above it, where its first line already holds values.

    Whole numbers that rise are names, as timesteps are, where the scores below are none.

    Raises:
        DataError: if nobody can tell names from values.
    """
    lines = text.strip().splitlines()
    if not any(sign in lines[0] for sign in SEPARATORS) and _are_numbers(lines[0].split()):
        lines = [",".join(line.split()) for line in lines]  # as numpy.savetxt separates
    delimiter = max(SEPARATORS, key=lines[0].count)
    first = [field.strip(' "') for field in lines[0].split(delimiter)]
    if not _are_numbers(first):
        return text
    if _are_whole(first) and sorted({int(field) for field in first}) == [*map(int, first)]:
        counted = len(first) > 1 and [*map(int, first)] == [*range(len(first))]
        if counted or not _are_whole(lines[-1].split(delimiter)):
            return "\n".join(lines)
        raise DataError(
            f"{file}: its first line may hold names or scores ({lines[0][:40]}); put a line with "
            "names that are no numbers above it."
        )
    return "\n".join([delimiter.join(map(str, range(len(first)))), *lines])


def _are_numbers(fields: Sequence[str]) -> bool:
    try:
        return bool([float(field) for field in fields])
    except ValueError:
        return False


def _are_whole(fields: Sequence[str]) -> bool:
    return all(field.strip(' "').isdecimal() for field in fields)


def json_columns(text: str, file: str) -> dict[str, list[object]]:
    """Columns of a JSON list of records, a dictionary of columns, or records on lines.

    Raises:
        DataError: if it is none of these.
    """
    try:
        content = json.loads(text, object_pairs_hook=_record)
    except RecursionError as error:
        raise DataError(f"{file} is JSON that is nested too deeply to be scores.") from error
    except _Twice as error:
        raise DataError(f"{file}: a record has more than one value for `{error}`.") from error
    except ValueError as error:
        content = _lines(text, file, error)
    if isinstance(content, dict):
        return _columns(content, file)
    if not content:
        raise DataError(f"{file} is an empty list; expected records with scores and labels.")
    records = [record for record in content if isinstance(record, dict)]
    if len(records) < len(content):
        raise DataError(f"{file} is a JSON list of something else than records (name: value).")
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _lines(text: str, file: str, error: ValueError) -> list[object]:
    """JSON lines, if that is what it is."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        json.loads(lines[0])
    except ValueError:
        why = str(error).split(";")[0]
        raise DataError(f"{file} begins as JSON and is broken: {why}.") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line, object_pairs_hook=_record))
        except _Twice as twice:
            raise DataError(f"{file}: line {number} has `{twice}` more than once.") from twice
        except (ValueError, RecursionError) as broken:
            raise DataError(f"{file}: line {number} is no JSON: {broken}.") from broken
    return found


def _columns(content: dict[str, object], file: str) -> dict[str, list[object]]:
    if "rows" in content and "schema" in content:
        raise DataError(
            f"{file} holds results, which are made from scores; give the scores "
            "(scores.parquet in the same folder)."
        )
    columns: dict[str, list[object]] = {}
    keyed = {name: values for name, values in content.items() if isinstance(values, dict)}
    for name, values in content.items():
        if isinstance(values, dict):  # as pandas writes a frame: by column, then by index
            values = _in_order(name, keyed, file)
        if isinstance(values, list):
            columns[name] = values
    if not columns:
        found = ", ".join(content) or "nothing"
        raise DataError(
            f"{file} holds no columns; expected a list of records, or lists by name, found {found}."
        )
    return columns


def _in_order(name: str, keyed: dict[str, dict[str, object]], file: str) -> list[object]:
    """The values of one column, in the order in which the first column has its keys."""
    first = next(iter(keyed))
    values, order = keyed[name], keyed[first]
    if values.keys() != order.keys():
        odd = next(iter(values.keys() ^ order.keys()))
        raise DataError(
            f"{file}: `{first}` and `{name}` do not have the same keys (key {odd[:40]!r} is in one "
            "only), so nobody can tell which values belong together; give every column all keys, "
            "and leave out what is no column."
        )
    return [values[key] for key in order]


class _Twice(Exception):
    """A name that a record has more than once."""


def _record(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return record


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:8])
    return shown + (", ..." if len(names) > 8 else "")
