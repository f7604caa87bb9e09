"""The registry of attacks: names, and where their classes are; nothing is imported before its use.

An attack of a third party registers in the entry-point group `miagym.attacks`: its name, and a
class or function that makes an `attacks.base.Attack` when called without arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attacks.grey_box.trajectory_settings import KNOBS
from attacks.modifiers import REFERENCE, modified, split_modifiers
from miagym.oracle import Access, MiagymError, UnknownName

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from attacks.base import Attack

CATALOGUE = Path(__file__).with_name("catalogue.json")
"""What `describe_attack` says of each attack in this package; `attacks.catalogue` writes it."""


@dataclass(frozen=True)
class Entry:
    """Where a class is, and what it is called with.

    Args:
        kind: "module:Class".
        arguments: other hyperparameters than the defaults.
        calibrated: whether its calibrated form is listed too, if it has one.
    """

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    calibrated: bool = True

    def load(self) -> type[Attack]:
        module, _, name = self.kind.partition(":")
        return getattr(import_module(module), name)


BUILT_IN = {
    "blind-captions": Entry("attacks.blind:BlindCaptions"),
    "blind-pixels": Entry("attacks.blind:BlindPixels"),
    "blind-both": Entry("attacks.blind:BlindBoth"),
    # Black box.
    "text-to-image": Entry("attacks.black_box.text_to_image:TextToImage"),
    "nearest-generated": Entry("attacks.black_box.nearest:NearestGenerated"),
    "reconstruction": Entry("attacks.black_box.reconstruction:Reconstruction"),
    "rediffuse": Entry("attacks.black_box.rediffuse:ReDiffuse"),
    "rediffuse-weak": Entry("attacks.black_box.rediffuse_weak:ReDiffuseWeak"),
    "rising-strength": Entry("attacks.black_box.rising_strength:RisingStrength"),
    "degrade-restore": Entry("attacks.black_box.degrade_restore:DegradeRestoreCompare"),
    "sd-mia": Entry("attacks.black_box.sd_mia:SDMIA"),
    "noise-probe": Entry("attacks.black_box.noise_probe:NoiseProbe", calibrated=False),
    "sequential": Entry("attacks.black_box.sequential:SequentialVariation"),
    # Grey box.
    "loss": Entry("attacks.grey_box.loss:LossThreshold"),
    "multiple-loss": Entry("attacks.grey_box.loss:MultipleLoss"),
    "sima": Entry("attacks.grey_box.sima:SimA"),
    "turned-sima": Entry("attacks.grey_box.turned_sima:TurnedSimA"),
    "pia": Entry("attacks.grey_box.pia:PIA"),
    "pian": Entry("attacks.grey_box.pia:PIAN"),
    "secmi": Entry("attacks.grey_box.secmi:SecMI"),
    "secmi-nn": Entry("attacks.grey_box.secmi:SecMINN"),
    "structural": Entry("attacks.grey_box.structural:Structural"),
    "pfami": Entry("attacks.grey_box.pfami:PFAMI"),
    "pfami-nn": Entry("attacks.grey_box.pfami:PFAMINN"),
    "clid": Entry("attacks.grey_box.clid:CLiD"),
    "clid-threshold": Entry("attacks.grey_box.clid:CLiDThreshold"),
    "clid-vector": Entry("attacks.grey_box.clid:CLiDVector"),
    "quantile-regression": Entry("attacks.grey_box.quantile:QuantileRegression"),
    # The settings are many: their calibrated forms are run when they are named.
    **{
        f"trajectory-{name}": Entry("attacks.grey_box.trajectory:Trajectory", knobs, False)
        for name, knobs in KNOBS.items()
    },
    "trajectory-logistic": Entry("attacks.grey_box.trajectory_classifiers:TrajectoryLogistic"),
    "trajectory-tree": Entry("attacks.grey_box.trajectory_classifiers:TrajectoryTree"),
    "trajectory-forest": Entry("attacks.grey_box.trajectory_classifiers:TrajectoryForest"),
    "trajectory-network": Entry("attacks.grey_box.trajectory_classifiers:TrajectoryNetwork"),
    # White box.
    "gradient-masking": Entry("attacks.white_box.gradient_masking:GradientMasking"),
    "noise-optimisation": Entry("attacks.white_box.noise_optimisation:NoiseOptimisation"),
    "cdi": Entry("attacks.white_box.cdi:CDI"),
    "gsa1": Entry("attacks.white_box.gsa:GSA1"),
    "gsa2": Entry("attacks.white_box.gsa:GSA2"),
    "mofit": Entry("attacks.white_box.mofit:MoFit"),
}


@cache
def _third_party() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group="miagym.attacks")}
    if taken := BUILT_IN.keys() & found.keys():
        raise MiagymError(
            f"Installed packages register attacks called {', '.join(sorted(taken))}, as built-in "
            "ones are; rename them in the entry-point group `miagym.attacks`."
        )
    return found


def _make(point: EntryPoint) -> Attack:
    """The attack of an entry point, whose package may be broken in any way."""
    from attacks.base import Attack, check_access

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
    check_access(attack)
    return attack


def attack_names(*, with_reference: bool = False) -> tuple[str, ...]:
    """All names, blind ones first.

    Args:
        with_reference: also the calibrated form of the black- and grey-box attacks that learn
            nothing, but not of the sixteen settings, which may be named.
    """
    names = (*BUILT_IN, *_third_party())
    if not with_reference:
        return names
    return (*names, *(name + REFERENCE for name in names if _is_calibrated(name)))


@cache
def blind_names() -> tuple[str, ...]:
    """Names of the attacks that ask no model, without whose rows no table stands."""
    blind = str(Access.BLIND)
    return tuple(name for name in attack_names() if describe_attack(name)["access"] == blind)


def _is_calibrated(name: str) -> bool:
    facts, listed = describe_attack(name), name not in BUILT_IN or BUILT_IN[name].calibrated
    asks = Access.BLIND < Access.of(facts["access"]) < Access.WHITE
    calibrated = asks and listed and not facts["needs_fitting"]
    return calibrated and (name in BUILT_IN or not make_attack(name).uses_reference)


def make_attack(name: str) -> Attack:
    """The attack of this name, as in "pia", "pia(timestep=50)", "PIA(timestep=50)+turned".

    Hyperparameters that are not named have their defaults; those that are, calibration does not
    choose anew. `attacks.modifiers` lists what may stand behind a plus sign; several are applied
    from left to right.

    Raises:
        UnknownName: with the nearest names.
        AttackError: for a parameter that the attack has not, a value of the wrong kind, or a
            modifier that cannot work on this attack.
        MiagymError: if a third party's attack cannot be made.
    """
    bare, modifiers = split_modifiers(name)
    attack = _unmodified(bare)
    for modifier in modifiers:
        attack = modified(attack, modifier, name)
    return attack


def _unmodified(name: str) -> Attack:
    others = _third_party()
    bare, bracket, given = name.partition("(")
    bare = _registered(bare.strip())
    if bare in BUILT_IN:
        attack = BUILT_IN[bare].load()(**BUILT_IN[bare].arguments)
    elif bare in others:
        attack = _make(others[bare])
    else:
        raise UnknownName("attack", name, attack_names(), "`miagym attacks` lists them.")
    return _under(attack, bare, given) if bracket else attack


def _registered(name: str) -> str:
    """The name of an attack that is called by its class, as its repr is; else the same name."""
    classes = {entry.kind.partition(":")[2]: name for name, entry in reversed(BUILT_IN.items())}
    return classes.get(name, name)


def _under(attack: Attack, name: str, given: str) -> Attack:
    """The attack under the parameters between the brackets, of which the second is here."""
    from attacks.base import LearnedAttack
    from attacks.pinned import Pinned
    from attacks.spelling import arguments, with_arguments

    values = arguments(given.rstrip().removesuffix(")"))
    made = with_arguments(attack, name, values)
    if isinstance(made, LearnedAttack) or not values:
        return made
    return Pinned(made, frozenset(values))


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    return {facts["name"]: facts for facts in json.loads(CATALOGUE.read_text(encoding="utf-8"))}


def describe_attack(name: str) -> dict[str, Any]:
    """What there is to know of an attack before it runs, ready for JSON.

    `cost` is charged for one candidate, at most if `adaptive`. Read from the catalogue, where it
    has the attack; made and measured otherwise.
    """
    return dict(_catalogue().get(name) or measured(name))


def _class_of(attack: Attack) -> type[Attack]:
    from attacks.pinned import Pinned

    return type(attack.attack if isinstance(attack, Pinned) else attack)


def measured(name: str) -> dict[str, Any]:
    """What the class of an attack says of it, and its dry run."""
    from attacks.base import LearnedAttack

    attack = make_attack(name)
    return {
        "name": name,
        "summary": (_class_of(attack).__doc__ or "").partition("\n")[0],
        "paper": attack.paper,
        "access": str(attack.access),
        "cost": asdict(attack.cost),
        "adaptive": attack.adaptive,
        "needs_fitting": isinstance(attack, LearnedAttack),
    }
