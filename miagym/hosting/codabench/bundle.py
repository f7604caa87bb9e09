"""Bundle for Codabench: a ZIP of everything, in which labels are for the scoring program only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from miagym import __version__
from miagym.atomic import replacing
from miagym.errors import HostError
from miagym.hosting.codabench.competition import (
    KIT,
    LOGO,
    PAGES,
    PROGRAM,
    TERMS,
    Dates,
    competition,
    public_data,
    reference_data,
)
from miagym.hosting.codabench.phases import phase_data
from miagym.hosting.suite import PHASES, HostedTask
from miagym.palette import MEMBERS, NONMEMBERS
from miagym.remote.pictures import png_of

METADATA = "command: python3 /app/program/scoring.py /app/input/ /app/output/\n"
MODULES = (
    "errors.py",
    "hosting/__init__.py",
    "hosting/records/__init__.py",
    "hosting/records/score_lines.py",
)
"""Of miagym what the scoring program imports, beside all of `miagym.metrics`."""
TILES, SIDE = 8, 64
"""Of the logo, and pixels of each."""


@dataclass(frozen=True)
class Bundle:
    """Files of a competition, by their place in the ZIP."""

    files: Mapping[str, bytes]
    candidates: Mapping[str, int]
    """How many there are in each phase."""

    def save(self, path: Path) -> None:
        """Writes the ZIP, whose files bear no dates.

        Raises:
            HostError: if there is such a file.
        """
        if path.exists():
            raise HostError(f"{path} exists; name a new file for the bundle.")
        with replacing(path) as partial:
            partial.touch(mode=0o600)  # labels are in it
            with ZipFile(partial, "w") as archive:
                for name in sorted(self.files):
                    archive.writestr(ZipInfo(name), self.files[name], ZIP_DEFLATED)


def bundle(task: HostedTask, secret: str, url: str, dates: Dates) -> Bundle:
    """The competition of a task, about the candidates that a host with the same secret deals.

    Args:
        task: with a menu.
        secret: of the host's ledger.
        url: where participants find the host.
        dates: of the phases.

    Raises:
        HostError: if the task is a service or about a population, or data are too few.
    """
    if task.service:
        raise HostError(
            f"{task.name} is a service, for which there is no starting kit; export a task with a "
            "menu, such as those of black-2026."
        )
    if task.population:
        raise HostError(
            f"{task.name} asks about each picture under several models, and a bundle has one line "
            "for it; export a task about one model, such as overfit-60."
        )
    package = files("miagym.hosting.codabench")
    phases = {phase: phase_data(task, phase, secret) for phase in PHASES}
    columns = min((data.columns for data in phases.values()), key=len)
    said = competition(task, dates, columns)
    found = {
        "competition.yaml": (json.dumps(said, indent=2) + "\n").encode("utf-8"),  # which is YAML
        LOGO: _logo(task.name),
        **_pages(package.joinpath("pages"), task, url),
        **_under(PROGRAM, _program(package)),
        f"{KIT}/play.py": package.joinpath("play.py").read_bytes(),
    }
    for phase, data in phases.items():
        found |= _under(public_data(phase), data.public)
        found |= _under(reference_data(phase), data.secret)
        found |= _under(f"{KIT}/{phase}", data.sample)
    return Bundle(found, {phase: len(data.candidates) for phase, data in phases.items()})


def _under(folder: str, inner: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in inner.items()}


def _program(package: Traversable) -> dict[str, bytes]:
    """The scoring program beside the very modules that `miagym score` measures with."""
    root = files("miagym")
    told = f'"""Modules of miagym {__version__} (Apache-2.0) that score submissions."""\n'
    return {
        "metadata.yaml": METADATA.encode("utf-8"),
        "scoring.py": package.joinpath("scoring.py").read_bytes(),
        "miagym/__init__.py": told.encode("utf-8"),
        **{f"miagym/{name}": root.joinpath(name).read_bytes() for name in MODULES},
        **_under("miagym/metrics", dict(_sources(root.joinpath("metrics")))),
    }


def _sources(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    """Modules of a package by their place in it."""
    for one in folder.iterdir():
        if one.is_dir():
            yield from _sources(one, f"{above}{one.name}/")
        elif one.name.endswith(".py"):
            yield f"{above}{one.name}", one.read_bytes()


def _pages(folder: Traversable, task: HostedTask, url: str) -> dict[str, bytes]:
    told = {
        "about": task.about,
        "task": task.name,
        "url": url,
        "budget": task.budget,
        "candidates": task.candidates,
    }
    found = {}
    for name in (*PAGES.values(), TERMS):
        text = folder.joinpath(name).read_text(encoding="utf-8")
        found[name] = Template(text).substitute(told).encode("utf-8")
    return found


def _logo(name: str) -> bytes:
    """Tiles in the colours of members and non-members, which differ from task to task."""
    rng = np.random.default_rng(list(sha256(name.encode("utf-8")).digest()))
    colours = np.array([_rgb(MEMBERS), _rgb(NONMEMBERS)], dtype=np.uint8)
    tiles = colours[rng.integers(2, size=(TILES, TILES))]
    return png_of(tiles.repeat(SIDE, axis=0).repeat(SIDE, axis=1))


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
