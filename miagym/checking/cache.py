"""What is kept between checks: arrays and JSON in a safetensors file, with a digest over both."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from miagym.atomic import replacing

FORMAT = "miagym calibration 2"
SHIPPED = Path(str(files("miagym"))) / "assets" / "calibration"
"""Calibrations of embedded targets, read where the user's folder has none."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Arrays by name, and what else is to be remembered, as JSON has it."""

    arrays: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


def cache_folder() -> Path:
    """Where calibrations are kept: under XDG_CACHE_HOME, or ~/.cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "miagym" / "calibration"


def save(path: Path, kept: Kept) -> None:
    """Writes the file whole, or not at all.

    Where it cannot be written (a full disk, a folder that is read-only) nothing is kept: what was
    computed is worth more than the time that keeping it would save.
    """
    with suppress(OSError):
        write(path, kept)


def write(path: Path, kept: Kept) -> None:
    """Writes the file whole, or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in kept.arrays.items()}
    text = json.dumps(dict(kept.about), ensure_ascii=False)
    metadata = {"format": FORMAT, "about": text, "digest": _digest(arrays, text)}
    with replacing(path) as partial:
        save_file(arrays, partial, metadata=metadata)


def load(path: Path) -> Kept | None:
    """Reads the file; None if there is none, or it is not what was written."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = metadata["about"]
        if metadata["format"] != FORMAT or metadata["digest"] != _digest(arrays, text):
            return None
        return Kept(arrays, json.loads(text))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None


def _digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    state = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return state.hexdigest()
