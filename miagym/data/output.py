"""Output file of a command: checked before the work, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from miagym.atomic import replacing
from miagym.errors import DataError


def check_new(out: Path, option: str, source: str, done: str) -> None:
    """Checks that `out` can be written and overwrites nothing.

    Args:
        out: the file; folders above it may be missing, they are made later.
        option: what the command line calls it.
        source: the data that it is made from, by name.
        done: what is done to them, as in "cleaned".

    Raises:
        DataError: if it is the source itself, is there already, or cannot be written.
    """
    try:
        if out.exists() and Path(source).exists() and out.samefile(source):
            raise DataError(f"{out} is the very file that is {done}; choose another {option}.")
        if out.is_dir():
            raise DataError(f"{out} is a folder; expected {option} to name a file.")
        if os.path.lexists(out):
            raise DataError(f"{out} is there already; choose another {option}, or delete it.")
        folder = out.parent
        while not folder.exists():
            folder = folder.parent
        with NamedTemporaryFile(dir=folder, prefix=f"{out.name}."):  # a name as long as is needed
            pass
    except OSError as error:
        raise DataError(f"{_refused(out, error)}; choose another {option}.") from error


@contextmanager
def writing(out: Path) -> Iterator[Path]:
    """Context of a temporary file that becomes `out` once the block ends well.

    Raises:
        DataError: if it cannot be written, on a full disk, say; nothing is left of it then.
    """
    try:
        with replacing(out) as partial:
            yield partial
    except OSError as error:
        raise DataError(f"{_refused(out, error)}.") from error


def _refused(out: Path, error: OSError) -> str:
    """In words, without the name of the unfinished file, which is no business of the reader."""
    return f"{out} cannot be written" + (f" ({os.strerror(error.errno)})" if error.errno else "")
