"""Captions from what the artists wrote: the title or file name, keywords, folders.

Theme icons share one title ("Lemon SVG theme"), so a title counts only where few drawings bear it;
the file name tells the rest apart. Captions that still coincide share a group (see `duplicates`).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree

MAX_WORDS = 12
"""Longest caption, in words: about 30 tokens, within the target's 32."""

MAX_SAME_TITLE = 3
"""A title on more drawings than this names a collection, not a drawing."""

STOP_KEYWORDS = frozenset({"", "hash", "clip_art", "unsorted", "united_nations_member", "mapsym"})

_NAMESPACES = {
    "cc": "http://web.resource.org/cc/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "svg": "http://www.w3.org/2000/svg",
}
_RESOURCE = f"{{{_NAMESPACES['rdf']}}}resource"
_HREF = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Metadata:
    """Metadata of a drawing's SVG; empty strings where there is none."""

    title: str
    artist: str
    licence: str
    keywords: tuple[str, ...]
    links_elsewhere: bool
    """Whether it shows a picture that is not in the file, so that the render is a placeholder."""


NOTHING = Metadata("", "", "", (), links_elsewhere=False)


def read_metadata(svg: bytes) -> Metadata:
    """Reads the Dublin Core block of a drawing; a file that is no XML says nothing."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return NOTHING

    def text(path: str) -> str:
        return (root.findtext(path, "", _NAMESPACES) or "").strip()

    work = ".//cc:Work/"
    licence = root.find(f"{work}cc:license", _NAMESPACES)
    words = root.findall(f"{work}dc:subject/rdf:Bag/rdf:li", _NAMESPACES)
    linked = (image.get(_HREF, "") for image in root.iterfind(".//svg:image", _NAMESPACES))
    return Metadata(
        title=text(f"{work}dc:title"),
        artist=text(f"{work}dc:creator/cc:Agent/dc:title"),
        licence="" if licence is None else licence.get(_RESOURCE, ""),
        keywords=tuple((word.text or "").strip().lower() for word in words),
        links_elsewhere=any(not href.startswith("data:") for href in linked),
    )


def words(text: str) -> list[str]:
    """Lower-case words of a text, without file endings, punctuation and running numbers."""
    text = re.sub(r"\.(svg|png)\b", " ", text.lower())
    text = re.sub(r"[^\w]|_", " ", text)
    return [word for word in text.split() if not re.fullmatch(r"0\d*|\d{3,}|0x\w+", word)]


def file_words(path: PurePosixPath, artist: str) -> list[str]:
    """Words of the file name without the artist's name, which the collection appends, cut short."""
    found = words(path.stem)
    names = words(artist)
    while len(found) > 1 and any(name.startswith(found[-1]) for name in names):
        found.pop()
    return found


def captions(paths: list[PurePosixPath], metadata: list[Metadata]) -> list[str]:
    """One caption for each drawing, most telling words first.

    Example: `computer/icons/etiquette-theme/trash.png` becomes
    "trash, filesystem, etiquette theme, icons, computer".
    """
    titles = Counter(m.title for m in metadata)
    return [_caption(path, m, titles[m.title]) for path, m in zip(paths, metadata, strict=True)]


def _caption(path: PurePosixPath, metadata: Metadata, drawings_of_that_title: int) -> str:
    name = words(metadata.title)
    if not name or drawings_of_that_title > MAX_SAME_TITLE:
        name = file_words(path, metadata.artist)
    keywords = [words(k) for k in sorted(metadata.keywords) if k not in STOP_KEYWORDS]
    folders = [words(part) for part in reversed(path.parts[:-1])]
    caption, used, count = [], set(), 0
    for phrase in (name, *keywords, *folders):
        fresh = [word for word in phrase if word not in used]
        if not fresh or count + len(fresh) > MAX_WORDS:
            continue
        caption.append(" ".join(fresh))
        used.update(fresh)
        count += len(fresh)
    return ", ".join(caption)
