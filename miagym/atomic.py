"""Atomic writing of files and folders: there whole, or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """Context of a temporary file that takes the place of `path` once the block ends well.

    Args:
        path: the file.
        shared: whether other processes may be writing the same file; each has a temporary file of
            its own then, which stays behind if it is killed.

    Raises:
        OSError: if it cannot be written, on a full disk, say; nothing is left of it then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    whose = f".{os.getpid()}-{secrets.token_hex(4)}" if shared else ""
    partial = path.with_name(f"{path.name}{whose}.partial")
    try:
        yield partial
        os.replace(partial, path)
    except SafetensorError as error:  # an error of its own for a full disk
        raise OSError(f"{path} cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any], *, shared: bool = False) -> None:
    """Writes a JSON file atomically; see `replacing`."""
    with replacing(path, shared=shared) as partial:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        partial.write_text(text, encoding="utf-8")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Context of a temporary folder that becomes `path`, new, once the block ends well.

    Raises:
        FileExistsError: if something is there already, which stays as it is.
        OSError: if it cannot be written; nothing is left of it then.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"{path} is there already")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    partial.mkdir()
    try:
        yield partial
        partial.rename(path)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written ({error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
