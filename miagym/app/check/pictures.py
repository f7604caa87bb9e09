"""Uploads of a set: which of them are pictures, and which texts are their captions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from miagym.app.server.body_limit import MAX_PICTURES
from miagym.checking.upload import Upload, open_upload
from miagym.data.captions.sidecars import SUFFIXES, Sidecars, one_caption
from miagym.data.readers.walk import is_hidden
from miagym.errors import DataError


def open_set(given: Mapping[str, Path], size: int) -> tuple[list[Upload], dict[str, str]]:
    """The pictures that can be used, and by name why the others cannot.

    Args:
        given: files by the names that visitors gave them; captions lie beside pictures as in
            folders of data: NAME.txt, NAME.png.txt, NAME.caption, NAME.json.
        size: side in pixels of the target's pictures.

    Raises:
        DataError: if there are too few pictures that can be used, or too many.
    """
    given = {name: path for name, path in given.items() if not is_hidden(name)}
    beside = Sidecars(given, errors="replace")
    pictures = {n: path for n, path in given.items() if not n.lower().endswith(SUFFIXES)}
    if len(pictures) > MAX_PICTURES:
        raise DataError(f"Expected at most {MAX_PICTURES} pictures at once, got {len(pictures)}.")
    uploads: list[Upload] = []
    skipped: dict[str, str] = {}
    for name, path in pictures.items():
        try:
            found = one_caption(beside.beside(name), name)
            uploads.append(open_upload(path, size, caption=found and found.text, name=name))
        except DataError as error:
            skipped[name] = str(error)
    if len(uploads) < 2:
        raise DataError(
            f"A set needs at least 2 pictures that can be read, got {len(uploads)} of "
            f"{len(pictures)} files; for a single picture, use the other tab."
        )
    return uploads, skipped
