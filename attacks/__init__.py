"""Membership inference attacks, by name or by class; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from attacks.modifiers import MODIFIERS, REFERENCE, TURNED
from attacks.registry import (
    BUILT_IN,
    attack_names,
    blind_names,
    describe_attack,
    make_attack,
)

if TYPE_CHECKING:
    from attacks.base import Attack, LearnedAttack
    from attacks.learning.saved import load_attack

__all__ = [
    "REFERENCE",
    "TURNED",
    "Attack",
    "LearnedAttack",
    "attack_names",
    "blind_names",
    "describe_attack",
    "load_attack",
    "make_attack",
]

_LAZY = {
    "Attack": "attacks.base",
    "LearnedAttack": "attacks.base",
    **{name: module for module, name in (place.split(":") for place in MODIFIERS.values())},
    "load_attack": "attacks.learning.saved",
    **{name: module for module, name in (e.kind.split(":") for e in BUILT_IN.values())},
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
