"""Membership inference attacks. Names are looked up here; the imports say which file holds which.

Shared parts are `base`, `black_box`, `rules` (what is fitted), `networks`, `image_encoders` and
`saved`. The test of a whole set of pictures is `dataset_inference`; it is no attack by itself.

An attack of a third party registers in the entry-point group `miagym.attacks`: its name, and a
class or function that makes an `attacks.base.Attack` when called without arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from attacks.base import Attack, LearnedAttack
from attacks.black_box.degrade_restore import DegradeRestoreCompare
from attacks.black_box.nearest import NearestGenerated
from attacks.black_box.reconstruction import Reconstruction
from attacks.black_box.rediffuse import ReDiffuse
from attacks.black_box.rising_strength import RisingStrength
from attacks.black_box.sequential import SequentialVariation
from attacks.black_box.text_to_image import TextToImage
from attacks.blind import BlindBoth, BlindCaptions, BlindPixels
from attacks.grey_box.clid import CLiD, CLiDThreshold, CLiDVector
from attacks.grey_box.loss import LossThreshold, MultipleLoss
from attacks.grey_box.pfami import PFAMI, PFAMINN
from attacks.grey_box.pia import PIA, PIAN
from attacks.grey_box.quantile import QuantileRegression
from attacks.grey_box.secmi import SecMI, SecMINN
from attacks.grey_box.sima import SimA
from attacks.grey_box.trajectory import SETTINGS
from attacks.grey_box.trajectory_classifiers import (
    TrajectoryForest,
    TrajectoryLogistic,
    TrajectoryNetwork,
    TrajectoryTree,
)
from attacks.learning.saved import load_attack
from attacks.reference import ReferenceCalibrated
from attacks.white_box.cdi import CDI
from attacks.white_box.gradient_masking import GradientMasking
from attacks.white_box.gsa import GSA1, GSA2
from attacks.white_box.mofit import MoFit
from attacks.white_box.noise_optimisation import NoiseOptimisation
from miagym.oracle import Access, MiagymError, UnknownName

__all__ = [
    "REFERENCE",
    "Attack",
    "LearnedAttack",
    "attack_names",
    "blind_names",
    "describe_attack",
    "load_attack",
    "make_attack",
]

REFERENCE = "+reference"
"""Behind a name: the attack calibrated by the reference model."""

Maker = Callable[[], Attack]

_FAMILY = "trajectory-"
"""The sixteen settings of Dubiński et al. 2024, and their classifiers on one of them."""

_BUILT_IN: dict[str, Maker] = {
    "blind-captions": BlindCaptions,
    "blind-pixels": BlindPixels,
    "blind-both": BlindBoth,
    # Black box.
    "text-to-image": TextToImage,
    "nearest-generated": NearestGenerated,
    "reconstruction": Reconstruction,
    "rediffuse": ReDiffuse,
    "rising-strength": RisingStrength,
    "degrade-restore": DegradeRestoreCompare,
    "sequential": SequentialVariation,
    # Grey box.
    "loss": LossThreshold,
    "multiple-loss": MultipleLoss,
    "sima": SimA,
    "pia": PIA,
    "pian": PIAN,
    "secmi": SecMI,
    "secmi-nn": SecMINN,
    "pfami": PFAMI,
    "pfami-nn": PFAMINN,
    "clid": CLiD,
    "clid-threshold": CLiDThreshold,
    "clid-vector": CLiDVector,
    "quantile-regression": QuantileRegression,
    **{_FAMILY + name: partial(SETTINGS.__getitem__, name) for name in SETTINGS},
    _FAMILY + "logistic": TrajectoryLogistic,
    _FAMILY + "tree": TrajectoryTree,
    _FAMILY + "forest": TrajectoryForest,
    _FAMILY + "network": TrajectoryNetwork,
    # White box.
    "gradient-masking": GradientMasking,
    "noise-optimisation": NoiseOptimisation,
    "cdi": CDI,
    "gsa1": GSA1,
    "gsa2": GSA2,
    "mofit": MoFit,
}


@cache
def _registry() -> dict[str, Maker]:
    third_party = {p.name: partial(_make, p) for p in entry_points(group="miagym.attacks")}
    if taken := _BUILT_IN.keys() & third_party.keys():
        raise MiagymError(
            f"Installed packages register attacks called {', '.join(sorted(taken))}, as built-in "
            "ones are; rename them in the entry-point group `miagym.attacks`."
        )
    return _BUILT_IN | third_party


def _make(point: EntryPoint) -> Attack:
    """The attack of an entry point, whose package may be broken in any way."""
    try:
        attack = point.load()()
    except Exception as error:
        raise MiagymError(
            f"The attack {point.name!r} ({point.value}) cannot be made: {error!r}; mend the "
            "package that registers it, or uninstall it."
        ) from error
    if not isinstance(attack, Attack):
        raise MiagymError(
            f"The entry point {point.name!r} ({point.value}) makes a {type(attack).__name__}; "
            "expected an attacks.base.Attack."
        )
    return attack


def attack_names(*, with_reference: bool = False) -> tuple[str, ...]:
    """All names, blind ones first.

    Args:
        with_reference: also the calibrated form of the black- and grey-box attacks that learn
            nothing, but not of the sixteen settings, which may be named.
    """
    names = tuple(_registry())
    if not with_reference:
        return names
    return (*names, *(name + REFERENCE for name in names if _is_calibrated(name)))


@cache
def blind_names() -> tuple[str, ...]:
    """Names of the attacks that ask no model, without whose rows no table stands."""
    return tuple(name for name in attack_names() if make_attack(name).access == Access.BLIND)


def _is_calibrated(name: str) -> bool:
    attack = make_attack(name)
    asks = Access.BLIND < attack.access < Access.WHITE and not isinstance(attack, LearnedAttack)
    return asks and not name.startswith(_FAMILY)


def make_attack(name: str) -> Attack:
    """The attack of this name with its default hyperparameters.

    Raises:
        UnknownName: with the nearest names.
        MiagymError: if a third party's attack cannot be made.
    """
    bare = name.removesuffix(REFERENCE)
    if bare not in _registry():
        raise UnknownName("attack", name, _registry(), "`miagym attacks` lists them.")
    attack = _registry()[bare]()
    if not name.endswith(REFERENCE):
        return attack
    if isinstance(attack, LearnedAttack):
        raise UnknownName("attack", name, _registry(), f"{bare} learns its rule from calibration.")
    return ReferenceCalibrated(attack)


def describe_attack(name: str) -> dict[str, Any]:
    """What there is to know of an attack before it runs, ready for JSON.

    `cost` is charged for one candidate, at most if `adaptive`.
    """
    attack = make_attack(name)
    return {
        "name": name,
        "summary": (type(attack).__doc__ or "").partition("\n")[0],
        "paper": attack.paper,
        "access": str(attack.access),
        "cost": asdict(attack.cost),
        "adaptive": attack.adaptive,
        "needs_fitting": isinstance(attack, LearnedAttack),
    }
