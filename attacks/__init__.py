"""Membership inference attacks: one paper, one file. Names are looked up here.

An attack of a third party registers in the entry-point group `miagym.attacks`: its name, and a
class or function that makes an `attacks.base.Attack` when called without arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import entry_points

from attacks.base import Attack, LearnedAttack
from attacks.black_box import TextToImage, Variation
from attacks.blind import BlindCaptions, BlindPixels
from attacks.clid import CLiD
from attacks.loss import LossThreshold
from attacks.partial_denoising import PartialDenoising, ReversedNoising, Signal
from attacks.pia import PIA
from attacks.reference import ReferenceCalibrated
from attacks.secmi import SecMI
from attacks.sima import SimA
from miagym.errors import UnknownName

__all__ = ["REFERENCE", "Attack", "LearnedAttack", "attack_names", "make_attack"]

REFERENCE = "+reference"
"""Behind a name: the attack calibrated by the reference model."""

_BUILT_IN: dict[str, Callable[[], Attack]] = {
    "blind-captions": BlindCaptions,
    "blind-pixels": BlindPixels,
    "text-to-image": TextToImage,
    "variation": Variation,
    "loss": LossThreshold,
    "sima": SimA,
    "pia": PIA,
    "secmi": SecMI,
    "clid": CLiD,
    "partial-denoising": PartialDenoising,
    "partial-denoising-pixel": partial(PartialDenoising, signal=Signal.PIXEL),
    "reversed-noising": ReversedNoising,
}


@cache
def _registry() -> dict[str, Callable[[], Attack]]:
    third_party = {point.name: point.load() for point in entry_points(group="miagym.attacks")}
    return third_party | _BUILT_IN


def attack_names(*, with_reference: bool = False) -> tuple[str, ...]:
    """All names, blind ones first; with a reference model, each calibrated form as well."""
    names = tuple(_registry())
    if not with_reference:
        return names
    asking = [name for name in names if not isinstance(make_attack(name), LearnedAttack)]
    return (*names, *(name + REFERENCE for name in asking))


def make_attack(name: str) -> Attack:
    """The attack of this name with its default hyperparameters.

    Raises:
        UnknownName: with the nearest names.
    """
    bare = name.removesuffix(REFERENCE)
    if bare not in _registry():
        raise UnknownName("attack", name, _registry(), "`miagym attacks` lists them.")
    attack = _registry()[bare]()
    if not name.endswith(REFERENCE):
        return attack
    if isinstance(attack, LearnedAttack):
        raise UnknownName("attack", name, _registry(), f"{bare} asks no model to compare with.")
    return ReferenceCalibrated(attack)
