"""Data set, public base and null target of each embedded target."""

from __future__ import annotations

from dataclasses import dataclass

from miagym.errors import SettingsError
from miagym.targets.registry import is_of_population

DEALT = "clipart-tune"
"""The data whose pictures were dealt to the embedded population."""


@dataclass(frozen=True)
class Pairing:
    """Data set, reference and null target of an embedded target."""

    data: str
    """The split that it is attacked on."""
    reference: str | None
    """The public base that it was fine-tuned from."""
    null: str | None
    """A target that saw neither side of that split, or both alike."""
    learned: tuple[str, ...] = ()
    """Splits whose members, and not the others, it was trained on itself."""


_PAIRINGS = {
    "clipart-realistic": Pairing("clipart", None, "clipart-null", ("clipart",)),
    "clipart-overfit": Pairing(
        "clipart-tune", "clipart-realistic", "clipart-null", ("clipart-tune",)
    ),
    "clipart-null": Pairing("clipart", None, None),
    "clipart-flow": Pairing("clipart-tune", None, "clipart-null", ("clipart-tune", "clipart")),
    "clipart-pixels": Pairing("clipart-tune", None, "clipart-pixels-null", ("clipart-tune",)),
    "clipart-pixels-null": Pairing("clipart-tune", None, None, ("clipart",)),
    "icons-realistic": Pairing("icons", None, "clipart-null", ("icons", "icons-unseen")),
    "icons-overfit": Pairing("icons-tune", "icons-realistic", "clipart-null", ("icons-tune",)),
}
"""The text encoders of `clipart-flow` are those of `clipart-realistic`, which learned `clipart`."""


def _population(target: str) -> Pairing | None:
    """Pairing of a model of the embedded population, whose data are its own deal."""
    if not is_of_population(target) or "/" not in target:
        return None
    return Pairing(target, "clipart-realistic", "clipart-null", (target, DEALT))


def seen_by(target: str) -> frozenset[str]:
    """Splits whose members an embedded target was trained on, those of its base included."""
    pair = pairing(target)
    if pair is None:
        return frozenset()
    base = frozenset() if pair.reference is None else seen_by(pair.reference)
    return base.union(pair.learned)


def check_reference(reference: str, target: str | None, data: str | None) -> None:
    """Refuses a reference that has seen the members: only a public model answers for free.

    Args:
        reference: its name.
        target: the name of what is attacked, if it has one.
        data: the name of the candidates, if they have one.

    Raises:
        SettingsError: if the reference is the target or a checkpoint of it, or is known to have
            been trained on the members.
    """
    if (why := _knows_members(reference, target, data)) is not None:
        raise SettingsError(
            f"{reference} cannot be the reference: {why}, so it knows the members, and its answers "
            "would be neither public nor free. Name a model that was trained on other pictures."
        )


def check_other_generator(other: str, target: str, data: str) -> None:
    """Refuses another generator that has seen the members, and would find them as the target does.

    Raises:
        SettingsError: as of a reference, see `check_reference`.
    """
    if (why := _knows_members(other, target, data)) is not None:
        raise SettingsError(
            f"{other} cannot be the other generator: {why}, so what is found there need not be the "
            "split's doing. Name a model that was trained on other pictures."
        )


def _knows_members(model: str, target: str | None, data: str | None) -> str | None:
    """Why a model is known to have seen the members; None if it is not."""
    dealt = data is not None and is_of_population(data)
    if target is not None and model.partition("@")[0] == target.partition("@")[0]:
        return f"it is {target}, or a checkpoint of it"
    if dealt and (is_of_population(model) or DEALT in seen_by(model)):
        return f"it was trained on a part of {data}"
    return f"it was trained on {data}" if data in seen_by(model) else None


def goes_with(target: str, data: str) -> bool:
    """Whether the labels of a split hold for a target, or it is a control there.

    Only embedded targets and splits are known to be anything else. A control is the null target, or
    the public base, of a target that goes with the split.
    """
    known = data in {name for pair in _PAIRINGS.values() for name in (pair.data, *pair.learned)}
    if pairing(target) is None or not (known or is_of_population(data)):
        return True
    bare = target.partition("@")[0]
    others = [pair for pair in (*_PAIRINGS.values(), _population(data)) if pair is not None]
    is_control = any(pair.data == data and bare in (pair.null, pair.reference) for pair in others)
    dealt_anew = is_of_population(target) and data == DEALT  # of which each model saw its own half
    return is_control or (data in seen_by(target) and not dealt_anew)


def pairing(target: str) -> Pairing | None:
    """Pairing of a target, or of a checkpoint of it; None if it is not embedded."""
    return _PAIRINGS.get(target.partition("@")[0]) or _population(target)
