"""Walk through a folder of pictures: which are there, and which are passed over, and why."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from miagym.data.images import SUFFIXES

PICTURES = frozenset(suffix for all_ in SUFFIXES.values() for suffix in all_)
"""How names of pictures end, lower case."""

UNREAD = frozenset(
    (
        *(".heic", ".heif", ".jp2", ".j2k", ".jxl", ".svg", ".svgz", ".eps", ".psd", ".xcf"),
        *(".ico", ".icns", ".tga", ".pcx", ".dib", ".ppm", ".pgm", ".pbm", ".pnm", ".exr"),
        *(".hdr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".wmf"),
        ".emf",
    )
)
"""How names of pictures end that are not read, and that are counted."""

ANY = PICTURES | UNREAD

NO_DATA = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"),
        *("$recycle.bin", "@eadir", "#recycle", "lost+found"),
    )
)
"""What systems leave in folders: Windows, macOS, Synology's thumbnails; lower case."""

MAX_LINK = 1024
"""Bytes of a file that may be a link which was flattened to its text."""
HIDDEN = "hidden"
NOWHERE = "link to nothing"
AGAIN = "linked folder that is there already"
TEXT = "link that a copy has made a text of"
CLOSED = "folder that cannot be opened"


@dataclass(frozen=True)
class Walk:
    """Pictures below a folder, in order, and how many were passed over by reason."""

    pictures: tuple[Path, ...]
    skipped: Mapping[str, int]


def is_hidden(name: str) -> bool:
    """Whether the name of a file or folder says that it is no data, as .DS_Store does."""
    return name.startswith(".") or name.lower() in NO_DATA


def walk(root: Path, suffixes: Collection[str] = PICTURES) -> Walk:
    """Finds the pictures in a folder and below, by their suffixes.

    Linked folders are followed, once each: not those that contain `root`, where all would come
    again, and perhaps from the other side.
    """
    found = _Walked(root, frozenset(suffixes))
    while found.folders or found.links:
        found.enter(found.folders.popleft() if found.folders else found.links.popleft())
    return Walk(tuple(sorted(found.pictures)), dict(found.skipped.most_common()))


@dataclass
class _Walked:
    root: Path
    suffixes: frozenset[str]
    pictures: list[Path] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.folders, self.links = deque([self.root]), deque[Path]()
        self._entered = set(self.root.resolve().parents)

    def enter(self, folder: Path) -> None:
        real = folder.resolve()
        if real in self._entered:
            self.skipped[AGAIN] += 1
            return
        self._entered.add(real)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            if folder != self.root:
                self.skipped[CLOSED] += 1
            return
        for name in names:
            self._look(folder / name)

    def _look(self, path: Path) -> None:
        if path.is_dir():
            if is_hidden(path.name):
                self.skipped[HIDDEN] += _pictures_below(path)
            else:
                (self.links if path.is_symlink() else self.folders).append(path)
            return
        suffix = path.suffix.lower()
        if suffix not in ANY and suffix not in self.suffixes:
            if not suffix and not is_hidden(path.name):
                self.skipped.update(_lost_link(path))
            return
        if is_hidden(path.name):
            self.skipped[HIDDEN] += 1
        elif not path.is_file():
            self.skipped[NOWHERE] += path.is_symlink()
        elif suffix in self.suffixes:
            self.pictures.append(path)
        else:
            self.skipped[f"{suffix} is not read"] += 1


def _lost_link(path: Path) -> list[str]:
    """Why a folder may be missing: a link to nothing, or one that git or a copy has flattened."""
    if path.is_symlink() and not path.exists():
        return [NOWHERE]
    try:
        if not path.is_file() or path.stat().st_size > MAX_LINK:
            return []
        text = path.read_text(encoding="utf-8").strip()
        return [TEXT] if text and "\n" not in text and (path.parent / text).is_dir() else []
    except (OSError, ValueError):  # no text, or a name that is too long
        return []


def _pictures_below(folder: Path) -> int:
    below = (name for _, _, names in os.walk(folder) for name in names)
    return sum(os.path.splitext(name)[1].lower() in ANY for name in below)
