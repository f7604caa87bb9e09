"""What lies at a place of a target's name: a pipeline, a file, or something to put on a model."""

from __future__ import annotations

import json
import os.path
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

from miagym.errors import TargetError
from miagym.targets.loading.single.recognise import configuration_of, is_autoencoder
from miagym.targets.loading.weights import PICKLES, shapes_in
from miagym.targets.location import SINGLE_FILE, Addition, TargetLocation, looks_local

ADDED = "+"
"""Stands in a target's name before what is put on it."""


def is_path(text: str) -> bool:
    """Whether a name that leads nowhere was meant as a path, and not as a hub id."""
    return looks_local(text) or text.endswith((SINGLE_FILE, *PICKLES))


def split_places(name: str, is_base: Callable[[str], bool]) -> tuple[str, list[str]]:
    """Splits "BASE+PLACE+PLACE:0.8" at its plus signs, which paths may have too.

    Raises:
        TargetError: if BASE is there and what is to be put on it is not.
    """
    pieces = name.split(ADDED)
    whole = os.path.exists(name) or os.path.exists(name.rpartition("@")[0])
    if whole or len(pieces) == 1:
        return name, []
    for end in range(len(pieces) - 1, 0, -1):
        base, places = ADDED.join(pieces[:end]), _joined(pieces[end:])
        if is_base(base) and places is not None:
            return base, places
    base, missing = pieces[0], ADDED.join(pieces[1:])
    if is_base(base):
        raise TargetError(
            f"There is no {missing!r} to put on {base}; expected a file of a LoRA or embedding "
            "(with a scale: FILE:0.8), or the folder of a UNet, autoencoder or scheduler."
        )
    return name, []


def put_on(location: TargetLocation, places: Sequence[str]) -> TargetLocation:
    """A location with what lies at these places put on it.

    Raises:
        TargetError: if a place holds nothing that can be put on a model.
    """
    for place in places:
        path, scale = _scaled(place)
        if not isfinite(scale):
            raise TargetError(f"Expected a number as the scale of {path}, got {scale}.")
        if path.is_dir() and scale != 1:
            raise TargetError(
                f"{path} is a folder, which has no scale, got {scale:g}; only a LoRA has one."
            )
        if path.is_file() and is_autoencoder(shapes_in(path, location.name)):
            if scale != 1:
                raise TargetError(
                    f"{path} is an autoencoder, which has no scale, got {scale:g}; only a LoRA has "
                    "one."
                )
            location = replace(location, vae=path)
        elif path.is_file():
            location = replace(location, added=(*location.added, Addition(path, scale)))
        elif (path / "model_index.json").is_file():
            location = _configured(location, path)
        else:
            location = _replaced(location, path)
    if location.is_single_file and location.configuration is None:
        has_scheduler = location.scheduler is not None
        found = configuration_of(Path(location.place), has_scheduler=has_scheduler)
        return replace(location, configuration=found)
    return location


def checked_folder(folder: Path) -> Path:
    """A folder that holds a diffusers pipeline.

    Raises:
        TargetError: if it does not, with what it holds.
    """
    if (folder / "model_index.json").is_file():
        return folder
    if (folder / "training.json").is_file():
        raise TargetError(
            f"{folder} holds a training that is not finished; the `miagym train` that began it "
            "goes on where it was."
        )
    kind = _class_in(folder)
    if kind is not None:
        raise TargetError(
            f"{folder} holds a {kind} and no whole model; put it on the model that it belongs to, "
            f"as in BASE{ADDED}{folder}."
        )
    files = sorted(path.name for path in folder.glob(f"*{SINGLE_FILE}"))
    if files:
        raise TargetError(
            f"{folder} holds {len(files)} file{'s' * (len(files) > 1)} and no model_index.json; "
            f"name one of them, as in {folder / files[0]}."
        )
    raise TargetError(
        f"{folder} is no diffusers model: expected a folder with model_index.json, as "
        "`pipeline.save_pretrained(folder)` writes it."
    )


def checked_file(path: Path) -> Path:
    """A file that holds a whole model.

    Raises:
        TargetError: if it is a pickle, broken, or only something to put on a model.
    """
    keys = shapes_in(path, str(path))
    if any("lora" in key for key in keys) or len(keys) <= 2:
        raise TargetError(
            f"{path} is no whole model but something to put on one (a LoRA or an embedding); name "
            f"its base first, as in BASE{ADDED}{path}."
        )
    if path.suffix != SINGLE_FILE:
        raise TargetError(f"{path} is no {SINGLE_FILE} file by its name; rename it.")
    return path


def _joined(pieces: Sequence[str]) -> list[str] | None:
    """Pieces as places that exist, each of as few pieces as it takes; None if one does not."""
    places, begun = [], ""
    for piece in pieces:
        begun = f"{begun}{ADDED}{piece}" if begun else piece
        if os.path.exists(_scaled(begun)[0]):
            places, begun = [*places, begun], ""
    return None if begun else places


def _scaled(place: str) -> tuple[Path, float]:
    """Splits "FILE:0.8"; a place without a number has scale 1."""
    place = os.path.expanduser(place)
    path, colon, number = place.rpartition(":")
    if not colon or os.path.exists(place):
        return Path(place), 1.0
    try:
        return Path(path), float(number)
    except ValueError:
        return Path(place), 1.0


def _configured(location: TargetLocation, folder: Path) -> TargetLocation:
    if not location.is_single_file:
        raise TargetError(
            f"{folder} is a whole model, which cannot be put on {location.place}; expected a LoRA, "
            "an embedding, or the folder of a UNet, autoencoder or scheduler."
        )
    return replace(location, configuration=folder)


def _replaced(location: TargetLocation, folder: Path) -> TargetLocation:
    kind = _class_in(folder) or "nothing that miagym knows"
    if kind.startswith("UNet"):
        return replace(location, unet=folder)
    if kind.startswith("Autoencoder"):
        return replace(location, vae=folder)
    if kind.endswith("Scheduler"):
        return replace(location, scheduler=folder)
    files = sorted(folder.glob(f"*{SINGLE_FILE}"))
    if len(files) == 1 and not (folder / "config.json").is_file():
        raise TargetError(
            f"{folder} is the folder of a file; name the file itself, as in BASE{ADDED}{files[0]}."
        )
    raise TargetError(
        f"{folder} holds {kind}; expected the file of a LoRA or an embedding, or the folder of a "
        "UNet, autoencoder or scheduler."
    )


def _class_in(folder: Path) -> str | None:
    """The class that a component's configuration names."""
    for file in ("config.json", "scheduler_config.json"):
        try:
            return json.loads((folder / file).read_text(encoding="utf-8"))["_class_name"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
