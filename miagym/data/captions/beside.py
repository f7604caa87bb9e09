"""Captions that lie beside pictures, by every convention that is known.

Hugging Face's imagefolder (tables), kohya and most trainers (texts), img2dataset (texts and
records). All readers of folders ask here, so that none sees a caption that another passes over.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from pathlib import Path

from miagym.data.captions.folder_metadata import FolderMetadata
from miagym.data.captions.sidecars import Caption, Sidecars, one_caption


class CaptionsBeside:
    """Finder of captions of pictures below a folder; what it reads it keeps.

    Args:
        root: the folder; tables are looked for between it and each picture.
        errors: "replace" lets no bytes that are no text stand in the way.
    """

    def __init__(self, root: Path, errors: str = "strict") -> None:
        self.root = root
        self._sidecars = cache(lambda folder: Sidecars.of_folder(folder, errors))
        self._metadata = cache(FolderMetadata.of)
        self._folders: dict[Path, None] = {}

    def of(self, picture: Path) -> Caption | None:
        """The caption of a picture, None if it has none.

        Raises:
            DataError: if it has several that differ, or one that cannot be read.
        """
        self._folders[picture.parent] = None
        texts = self._sidecars(picture.parent).beside(picture.name)
        tables = (self._metadata(folder).of_picture(picture) for folder in self._above(picture))
        return one_caption(chain(texts, *tables), str(picture))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd about the tables and records that have been looked at, in sentences."""
        above = dict.fromkeys(f for one in self._folders for f in self._above(one / "picture"))
        notes = [note for folder in above for note in self._metadata(folder).all_notes()]
        empty = sum(self._sidecars(folder).without_caption for folder in self._folders)
        if empty:
            notes.append(
                f"{empty:,} .json files beside pictures have neither `caption` nor `text`, so they "
                "are not taken for captions."
            )
        return tuple(notes)

    def _above(self, picture: Path) -> list[Path]:
        """The folders from that of a picture up to the root."""
        folders = [picture.parent]
        while folders[-1] != self.root and folders[-1].is_relative_to(self.root):
            folders.append(folders[-1].parent)
        return folders
