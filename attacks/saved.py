"""Fitted attacks on disk: one safetensors file each, arrays and JSON, nothing that can run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from attacks.base import LearnedAttack
from miagym.errors import DataError, NotFitted

FORMAT = "miagym fitted attack 1"


def save_attack(attack: LearnedAttack, path: Path) -> None:
    """Writes a fitted attack, atomically.

    Raises:
        NotFitted: if it has learned nothing yet.
    """
    if attack.rule is None:
        raise NotFitted(f"{type(attack).__name__} has not been fitted; there is nothing to save.")
    arrays = {name: np.ascontiguousarray(array) for name, array in attack.rule.arrays().items()}
    metadata = {
        "format": FORMAT,
        "attack": type(attack).__name__,
        "hyperparameters": json.dumps(_hyperparameters(attack)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(arrays, partial, metadata=metadata)
    os.replace(partial, path)


def load_attack(path: Path) -> LearnedAttack:
    """Reads what `save_attack` wrote.

    The class is looked up among those that are imported; a file cannot name code to import.

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
        raise DataError(f"{path} holds no fitted attack; expected what `save_attack` writes.")
    kinds = {kind.__name__: kind for kind in _kinds(LearnedAttack)}
    if metadata["attack"] not in kinds:
        raise DataError(
            f"{path} is of the attack {metadata['attack']}, which is not imported; import the "
            "package that defines it first."
        )
    hyperparameters = json.loads(metadata["hyperparameters"])
    attack = kinds[metadata["attack"]](**{k: _frozen(v) for k, v in hyperparameters.items()})
    return replace(attack, rule=attack.new_rule().with_arrays(arrays))


def _hyperparameters(attack: LearnedAttack) -> dict[str, Any]:
    return {f.name: getattr(attack, f.name) for f in fields(attack) if f.name != "rule"}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _kinds(kind: type[LearnedAttack]) -> Iterator[type[LearnedAttack]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)
