"""Pictures as a caller gives them: files, folders, bytes, Pillow images, or several of these."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from miagym.checking.given import Given
from miagym.checking.upload import FORMATS, Upload, check_upload, open_upload
from miagym.data import images
from miagym.data.captions.beside import CaptionsBeside
from miagym.data.readers.walk import ANY, walk
from miagym.errors import DataError

SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in images.SUFFIXES[kind])
"""What is looked for in folders; other pictures are listed as skipped."""


def given_pictures(pictures: Any, what: str = "picture") -> dict[str, Given]:
    """Pictures, and those in folders, by the name that answers use.

    Args:
        pictures: in any form, or single ones by the names that answers shall use.
        what: one of them is called where it has no name of its own.

    Raises:
        DataError: if there is none, or it is of another kind.
    """
    if isinstance(pictures, str | Path):
        return _files(Path(pictures))
    if isinstance(pictures, bytes):
        return {f"The {what}": Given(pictures)}
    if hasattr(pictures, "save") and hasattr(pictures, "getbands"):  # a Pillow image
        encoded = io.BytesIO()
        pictures.save(encoded, format="PNG")
        return {f"The {what}": Given(encoded.getvalue())}
    if isinstance(pictures, Mapping) and pictures:
        return {str(name): _only(one, what) for name, one in pictures.items()}
    if not isinstance(pictures, Iterable) or isinstance(pictures, Mapping):
        raise DataError(
            "Expected pictures as files, folders, bytes or Pillow images, got "
            f"{type(pictures).__name__}."
        )
    found: dict[str, Given] = {}
    for number, one in enumerate(pictures, start=1):
        for name, picture in given_pictures(one).items():
            is_file = isinstance(picture.source, Path)
            found[name if is_file else f"{what} {number}"] = picture
    if not found:
        raise DataError(f"No {what} was given.")
    return found


def _only(picture: Any, what: str) -> Given:
    found = given_pictures(picture, what)
    if len(found) != 1:
        raise DataError(f"Expected a single {what} behind each name, got {len(found)}.")
    return next(iter(found.values()))


def _files(given: Path) -> dict[str, Given]:
    if not given.is_dir():
        return {str(given): Given(given, CaptionsBeside(given.parent, errors="replace"))}
    beside = CaptionsBeside(given, errors="replace")
    pictures = walk(given, ANY).pictures
    found = {str(file): Given(file, beside) for file in pictures}
    if not found:
        raise DataError(f"There is no picture ({', '.join(sorted(SUFFIXES))}) in {given}.")
    return found


def check_given(given: Mapping[str, Given]) -> None:
    """Checks that at least one picture may be readable, before anything large is loaded.

    Raises:
        DataError: if none is.
    """
    refused: list[str] = []
    for name, picture in given.items():
        try:
            return check_upload(picture.source, name=name)
        except DataError as error:
            refused.append(str(error))
    raise _none_readable(refused)


def readable_uploads(
    given: Mapping[str, Given], caption: str | None, size: int
) -> tuple[list[Upload], dict[str, str]]:
    """What can be read, and why the rest cannot; a single picture has to be readable."""
    uploads: list[Upload] = []
    skipped: dict[str, str] = {}
    for name, picture in given.items():
        try:
            text = picture.caption() if caption is None else caption
            uploads.append(open_upload(picture.source, size, caption=text, name=name))
        except DataError as error:
            skipped[name] = str(error)
    if not uploads:
        raise _none_readable(skipped.values())
    return uploads, skipped


def _none_readable(why: Iterable[str]) -> DataError:
    return DataError(" ".join(list(why)[:3]))
