"""Names and objects: the one place where what a caller gives becomes what the engine takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isabstract, isclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.data.dataset import Dataset
from miagym.data.labels import MemberValue
from miagym.data.registry import has_labels, load_data
from miagym.embedded.pairings import pairing
from miagym.errors import AttackError, DataError, TargetError, option
from miagym.targets.base import Target
from miagym.targets.registry import find_target, load_target
from miagym.training.record import record_of

if TYPE_CHECKING:
    from attacks import Attack

AttackLike = Any
"""A name ("pia", "pia(timestep=50)", "trajectory-*"), names with commas, an attack, its class, or
several of these."""
TargetLike = str | Path | Target
DataLike = str | Path | Dataset

ALL = "all"


def attacks_of(given: AttackLike, *, with_reference: bool = False) -> dict[str, Attack]:
    """Attacks by name, in the order in which they are given.

    Args:
        given: see `AttackLike`; a mapping names its attacks itself. "all" is every registered one,
            "pia(timestep=50)" one under parameters that were named, and "trajectory-*" all whose
            names match. Of names for the very same setting the first one stands. A class is made
            with its defaults, and called by its own name in kebab case.
        with_reference: whether "all" includes what a public reference model calibrates.

    Raises:
        AttackError: for what is no attack, for two attacks of one name, and for an attack whose
            repr does not tell its hyperparameters.
        DataError: if none is named.
        UnknownName: for a name that is unknown.
    """
    from attacks import make_attack

    found: dict[str, Attack] = {}
    for name, one in _each(given):
        if isinstance(one, str) and (several := _several(name, with_reference)):
            found |= {each: make_attack(each) for each in several if each not in found}
            continue
        attack = make_attack(name) if isinstance(one, str) else _attack(one)
        if isinstance(one, str) and repr(attack) in map(repr, found.values()):
            continue  # the same setting under another name
        if name in found and repr(found[name]) != repr(attack):
            raise AttackError(
                f"Two attacks are called {name!r}: {found[name]!r} and {attack!r}; give a mapping "
                "from names of your own to attacks."
            )
        found[name] = attack
    if not found:
        raise DataError("No attack was named; `miagym attacks` lists them.")
    return found


def _each(given: AttackLike) -> Iterable[tuple[str, AttackLike]]:
    """What is given as pairs of name and attack; a name stands for itself."""
    if isinstance(given, str):
        from attacks.spelling import split_names

        return [(name, name) for name in split_names(given)]
    if isinstance(given, Mapping):
        return [(str(name), one) for name, one in given.items()]
    if isinstance(given, Iterable) and not isclass(given):
        return [pair for one in given for pair in _each(one)]
    kind = given if isclass(given) else type(given)
    return [(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", kind.__name__).lower(), given)]


def _several(name: str, with_reference: bool) -> list[str]:
    """The names that "all" or a pattern stands for; none for the name of one attack."""
    from attacks import attack_names
    from attacks.spelling import is_pattern, matching

    if name == ALL:
        return list(attack_names(with_reference=with_reference))
    if is_pattern(name):
        return matching(name, attack_names(with_reference=True))
    return []


def _attack(given: AttackLike) -> Attack:
    from attacks import Attack
    from attacks.base import check_access
    from miagym.oracle import check_repr

    made = given
    if isclass(given) and issubclass(given, Attack):
        if isabstract(given):
            raise AttackError(
                f"The attack class {given.__name__} does not define "
                f"{', '.join(sorted(given.__abstractmethods__))}, so that nothing can be made of "
                "it; define what is missing, or give a class that does."
            )
        try:
            made = given()
        except TypeError as error:
            raise AttackError(
                f"The attack class {given.__name__} cannot be made with its defaults ({error}); "
                "give an instance."
            ) from error
    if not isinstance(made, Attack):
        what = given.__name__ if isclass(given) else f"{type(given).__name__} {given!r}"
        raise AttackError(
            f"Expected an attack's name, an `attacks.Attack` or a class of it, got {what}."
        )
    check_access(made)
    check_repr(made)
    return made


def with_reference(name: str) -> str:
    """The name of an attack's form that a public reference model calibrates."""
    from attacks import REFERENCE

    return name + REFERENCE


def blind_attacks() -> dict[str, Attack]:
    """The attacks that never see a model, whose rows stand in every table."""
    from attacks import blind_names, make_attack

    return {name: make_attack(name) for name in blind_names()}


def with_blind_rows(attacks: Mapping[str, Attack]) -> dict[str, Attack]:
    """Attacks with those blind ones without whose rows they do not stand in a table."""
    beside = {name: blind for attack in attacks.values() for name, blind in attack.beside.items()}
    return beside | dict(attacks)


@dataclass(frozen=True)
class Named:
    """A target or a data set by its name; the object too, if one was given."""

    name: str
    own: Any = None

    @property
    def objects(self) -> dict[str, Any]:
        """By name, what is not to be loaded by its name."""
        return {} if self.own is None else {self.name: self.own}


def target_of(given: TargetLike) -> Named:
    """A target by name (an embedded one, a folder, a file, a hub id), or as it is.

    Raises:
        TargetError: if it is neither.
        UnknownName: for a name that is unknown, before anything is loaded.
    """
    if isinstance(given, Target):
        return Named(given.name, given)
    if not isinstance(given, str | Path):
        raise TargetError(
            "Expected a target's name, its folder, or a `miagym.targets.base.Target`, got "
            f"{type(given).__name__} {given!r}."
        )
    find_target(str(given))
    return Named(str(given))


def data_of(given: DataLike | None, target: str) -> Named:
    """A data set by name (an embedded one, a file, a folder, hf:owner/name), or as it is.

    Args:
        given: None stands for the data that are known to belong to an embedded target.
        target: the name of the target.

    Raises:
        DataError: if it is neither, or nothing is known.
    """
    if given is None:
        known = pairing(target)
        if known is None:
            others = "others like them that were not used"
            raise unknown_data(target, f"name its members, and {others} ({option('data')})")
        return Named(known.data)
    if isinstance(given, Dataset):
        return Named(given.name, given)
    if not isinstance(given, str | Path):
        raise DataError(
            "Expected the name of a data set, a file, a folder or a `miagym.Dataset`, got "
            f"{type(given).__name__}."
        )
    return Named(str(given))


def unknown_data(target: str, advice: str) -> DataError:
    """The error for a target whose data nobody gives: what is on record of them, else advice."""
    record = record_of(target)
    if record is None:
        return DataError(f"Nothing is known of what {target} was trained on; {advice}.")
    return DataError(
        f"{target} is on record as trained on {record.data}, and no data is given; give "
        f"{option('data', record.data)}."
    )


def loaded_target(given: TargetLike, device: str = "auto", dtype: str = "auto") -> Target:
    """The target itself."""
    named = target_of(given)
    return named.own or load_target(named.name, device=device, dtype=dtype)


def loaded_data(
    given: DataLike | None, target: str = "", member_value: MemberValue | None = None
) -> Dataset:
    """The data set itself."""
    named = data_of(given, target)
    (value,) = member_values([named], member_value)
    return named.own or load_data(named.name, value)


def member_values(
    named: Sequence[Named], member_value: MemberValue | None
) -> list[MemberValue | None]:
    """What means member in each of these data sets: those with a column of labels are told it.

    Raises:
        DataError: if none of them has any.
    """
    has_any = [each.own is None and has_labels(each.name) for each in named]
    if member_value is not None and not any(has_any):
        raise DataError(
            f"{option('member_value')} is of a column of labels, and {named[0].name} has none: it "
            "says by itself who is a member; leave it out."
        )
    return [member_value if has else None for has in has_any]
