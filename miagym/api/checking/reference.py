"""The public base of a target: named by the caller, or by the target itself."""

from __future__ import annotations

from dataclasses import dataclass

from miagym.api.names import TargetLike, loaded_target, target_of
from miagym.embedded.pairings import check_reference, pairing
from miagym.errors import MiagymError, SettingsError, TargetError, option
from miagym.evaluation.config import AUTO
from miagym.targets.base import Target
from miagym.targets.registry import name_of_base
from miagym.training.record import record_of


@dataclass(frozen=True)
class PublicBase:
    """A public base by which scores are calibrated.

    Args:
        given: its name, or the target itself; None for none.
        why: who named it, in a sentence; "" if the caller did, or there is none.
        fingerprint: that it must have, if a training has recorded it.
    """

    given: TargetLike | None
    why: str = ""
    fingerprint: str = ""

    def load(self, device: str, dtype: str) -> Target | None:
        """The base itself.

        Raises:
            TargetError: if it cannot be loaded, or is another model than it was in training.
        """
        if self.given is None:
            return None
        advice = f"name another one ({option('reference')})" if self.why else ""
        try:
            base = loaded_target(self.given, device, dtype)
        except MiagymError as error:
            if not self.why:
                raise
            raise TargetError(f"{self.why} It cannot be loaded: {error} Else, {advice}.") from error
        if _differ(self.fingerprint, base.fingerprint):
            raise TargetError(
                f"{self.why} What lies there now is another model than it was in training; "
                f"{advice}."
            )
        return base


def public_base(target: TargetLike, reference: TargetLike | None, data: str | None) -> PublicBase:
    """The base that scores are calibrated by.

    An embedded target has a known one. A LoRA names the model that it is put on, and a training of
    miagym what it began from.

    Args:
        target: the model in question.
        reference: what the caller names; `AUTO` for what the target names, None for none.
        data: name of the calibration pictures, if there are members among them.

    Raises:
        SettingsError: if what the caller names has seen the members.
    """
    name = target_of(target).name
    if reference != AUTO:
        if reference is not None:
            check_reference(target_of(reference).name, name, data)
        return PublicBase(reference)
    paired = pairing(name)
    found = PublicBase(paired.reference) if paired else _named_by(target, name)
    if found.given is not None:
        try:
            check_reference(str(found.given), name, data)
        except SettingsError:  # it has seen the members, so the target's own word is no help
            return PublicBase(None)
    return found


def _named_by(target: TargetLike, name: str) -> PublicBase:
    """What a target that is given by name says of its base."""
    if isinstance(target, Target):
        return PublicBase(None)
    base = name_of_base(name)
    if base is not None:
        return PublicBase(base, f"The LoRA of {name} is put on {base}, which is its base.")
    record = record_of(name)
    if record is None:
        return PublicBase(None)
    why = f"The training of {name} names its base, {record.base}."
    return PublicBase(record.base, why, record.base_fingerprint)


def _differ(first: str, second: str) -> bool:
    """Whether two fingerprints are of different models; unknown of two that differ in precision."""
    (model, _, precision), (other, _, its) = first.partition(" "), second.partition(" ")
    return bool(first and second) and precision == its and model != other
