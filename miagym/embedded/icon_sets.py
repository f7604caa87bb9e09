"""Icons of seven open emoji sets, as npm's `@iconify-json` packages hold them: names and SVG.

The sets draw the same things, each in a style of its own, which is what makes drawing learnable:
a model that saw a fox in six styles and a cat in all seven may draw the seventh fox.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.errors import DataError, option


@dataclass(frozen=True)
class IconSet:
    """A set of icons, as one hand drew it."""

    style: str
    """As captions name it."""
    artist: str
    licence: str
    """Of each of its icons (SPDX)."""


SETS = {
    "noto": IconSet("noto", "Google", "Apache-2.0"),
    "noto-v1": IconSet("old noto", "Google", "Apache-2.0"),
    "twemoji": IconSet("twemoji", "Twitter", "CC-BY-4.0"),
    "fluent-emoji": IconSet("fluent", "Microsoft", "MIT"),
    "fluent-emoji-flat": IconSet("fluent flat", "Microsoft", "MIT"),
    "fxemoji": IconSet("firefox", "Mozilla", "Apache-2.0"),
    "emojione": IconSet("emoji one", "Emoji One", "CC-BY-4.0"),
}
"""The sets by package."""

MIN_SETS = 4
"""A thing is taken where at least so many sets draw it."""

_TONES = re.compile(r"-skin-tone|^keycap|^letter-|-(medium-light|medium-dark|light|medium|dark)$")
"""Skin tones repeat one drawing in other colours; keycaps and letters are all one tile."""

_PERSONS = {"man": "person", "woman": "person", "men": "people", "women": "people"}
_CHILDREN = {"boy": "child", "girl": "child"}


@dataclass(frozen=True)
class Icon:
    """An icon: what it shows, who drew it, and how."""

    thing: str
    """Name of what it shows, the same in all sets: "red apple"."""
    package: str
    name: str
    """Its name in that package."""
    svg: str

    @property
    def style(self) -> str:
        return SETS[self.package].style

    @property
    def caption(self) -> str:
        return f"{self.thing}, {self.style}"

    @property
    def source(self) -> str:
        return f"{self.package}/{self.name}"


def read_icons(folder: Path) -> list[Icon]:
    """Reads all icons of things that at least `MIN_SETS` sets draw, ordered by thing and set.

    Args:
        folder: `node_modules/@iconify-json`, with a package a folder.

    Raises:
        DataError: if a package is not there, or holds no icons.
    """
    packages = {package: _read(folder / package / "icons.json") for package in SETS}
    things: dict[str, dict[str, str]] = {}
    for package, content in packages.items():
        for name, icon in content["icons"].items():
            if not icon.get("hidden") and not _TONES.search(name):
                things.setdefault(name.replace("-", ""), {}).setdefault(package, name)
    found = []
    for drawn in (drawn for _, drawn in sorted(things.items()) if len(drawn) >= MIN_SETS):
        thing = Counter(drawn.values()).most_common(1)[0][0].replace("-", " ")
        for package in (package for package in SETS if package in drawn):
            content, name = packages[package], drawn[package]
            found.append(Icon(thing, package, name, _svg(content["icons"][name], content)))
    return found


def kind(thing: str) -> str:
    """What a thing is but for gender: "woman running" and "man running" are look-alikes."""
    words = ({**_PERSONS, **_CHILDREN}.get(word, word) for word in thing.split())
    return " ".join(words)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        packages = " ".join(f"@iconify-json/{package}" for package in SETS)
        raise DataError(
            f"Expected icons in {path}, found no such file: `npm install {packages}`, and name "
            f"node_modules/@iconify-json by {option('source')}."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def _svg(icon: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """SVG of an icon, 256 pixels wide; what it does not say of its box, its package says."""
    left, top, width, height = (
        icon.get(key, content.get(key, default))
        for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="256" height="256" viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
    )
