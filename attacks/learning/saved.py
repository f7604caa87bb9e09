"""Reading fitted attacks back: one safetensors file each, arrays and JSON, nothing that can run."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from attacks.base import FORMAT, LearnedAttack, saved_name
from attacks.registry import BUILT_IN
from miagym.oracle import DataError


def load_attack(path: Path) -> LearnedAttack:
    """Reads what `LearnedAttack.save` wrote.

    The class is one of this package, or is imported already: a file cannot name code to import.

    Raises:
        DataError: if it is no such file, or of an attack that is not imported.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read as a fitted attack ({error}).") from error
    if metadata.get("format") != FORMAT:
        raise DataError(
            f"{path} holds no fitted attack, which is what `LearnedAttack.save` writes."
        )
    try:
        return _rebuilt(metadata, arrays)
    except (KeyError, TypeError, ValueError, RuntimeError, BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} was saved by another version of its attack, or is damaged ({error!r}); fit it "
            "again."
        ) from error


def _rebuilt(metadata: dict[str, str], arrays: dict[str, NDArray]) -> LearnedAttack:
    module, _, qualified_name = metadata["attack"].partition(":")
    name = saved_name(module, qualified_name)
    for entry in BUILT_IN.values():
        if name == saved_name(*entry.kind.split(":")):
            entry.load()
    kinds = {saved_name(k.__module__, k.__qualname__): k for k in _kinds(LearnedAttack)}
    if name not in kinds:
        raise DataError(
            f"This is a fitted {metadata['attack']}, which is not imported; import the package "
            "that defines it first."
        )
    hyperparameters = json.loads(metadata["hyperparameters"])
    attack = kinds[name](**{k: _frozen(v) for k, v in hyperparameters.items()})
    return replace(attack, rule=attack.new_rule().with_arrays(arrays))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _kinds(kind: type[LearnedAttack]) -> Iterator[type[LearnedAttack]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)
