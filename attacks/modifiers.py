"""Modifiers of attacks: what may stand behind a plus sign, as in `sima+turned`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from miagym.oracle import AttackError, UnknownName

if TYPE_CHECKING:
    from attacks.base import Attack
    from attacks.wrapped import Wrapped

PLUS = "+"
MODIFIERS = {
    "reference": "attacks.reference:ReferenceCalibrated",
    "turned": "attacks.turned:Turned",
    "lowpass": "attacks.filters.lowpass:LowPass",
    "pullback": "attacks.filters.pullback:Pullback",
    "complexity": "attacks.complexity:Complexity",
    "lira": "attacks.shadow.lira:LiRA",
    "rmia": "attacks.shadow.rmia:RMIA",
    "bavaria": "attacks.shadow.bavaria:BaVarIA",
}
"""Where the class of each modifier is: a `Wrapped`, made from the attack before the plus sign."""

REFERENCE, TURNED = PLUS + "reference", PLUS + "turned"
"""Behind a name: the attack calibrated by the reference model, or by the picture turned."""


def split_modifiers(name: str) -> tuple[str, tuple[str, ...]]:
    """Splits "pia(norm=2.0)+turned(by=('180',))+reference" at the plus signs outside brackets.

    Returns:
        The name of an attack, and what stands behind each plus sign.
    """
    depth, pieces = 0, [""]
    for character in name:
        depth += (character in "([") - (character in ")]")
        if character == PLUS and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    first, *others = (piece.strip() for piece in pieces)
    return first, tuple(others)


def modified(attack: Attack, modifier: str, name: str) -> Attack:
    """The attack under a modifier, of whose parameters some may be named in brackets.

    Args:
        attack: what it modifies.
        modifier: its name, as in "turned" or "turned(by=('180',))".
        name: all of what was asked for, for errors.

    Raises:
        UnknownName: if there is no such modifier.
        AttackError: if the attack learns its rule, or this modifier has nothing to work on in it.
    """
    from attacks.base import LearnedAttack
    from attacks.pinned import Pinned
    from attacks.spelling import arguments, with_arguments

    kind, bracket, given = modifier.partition("(")
    if kind not in MODIFIERS:
        raise UnknownName("modifier", kind, list(MODIFIERS))
    if isinstance(attack, LearnedAttack):
        raise AttackError(
            f"{name}: the attack learns its rule from calibration, so {PLUS}{kind} would change "
            "what it has learned from; use it on an attack that learns nothing."
        )
    made = modifier_class(kind)(attack)
    values = arguments(given.rstrip().removesuffix(")")) if bracket else {}
    return Pinned(with_arguments(made, PLUS + kind, values), frozenset(values)) if values else made


def modifier_class(kind: str) -> type[Wrapped]:
    """The class of a modifier by its name."""
    module, _, name = MODIFIERS[kind].partition(":")
    return getattr(import_module(module), name)


def modifier_of(kind: type[Wrapped]) -> str:
    """What stands behind the plus sign for a class."""
    return {place.partition(":")[2]: name for name, place in MODIFIERS.items()}[kind.__name__]
