"""Checkers: what answers many checks under one target, calibrated once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.api.checking.reference import public_base
from miagym.api.names import (
    AttackLike,
    DataLike,
    TargetLike,
    attacks_of,
    data_of,
    loaded_data,
    loaded_target,
    target_of,
    unknown_data,
    with_reference,
)
from miagym.checking.cache import cache_folder
from miagym.checking.checker import ATTACKS, Checker
from miagym.checking.sources.kept import KeptCalibration
from miagym.checking.sources.pictures import Pictures
from miagym.data.dataset import CALIBRATION
from miagym.data.labels import MemberValue
from miagym.embedded.pairings import pairing
from miagym.errors import DataError, option
from miagym.evaluation.config import AUTO
from miagym.evaluation.signals import Signals
from miagym.oracle import Access
from miagym.progress import Progress, silent
from miagym.training.record import record_of

if TYPE_CHECKING:
    from attacks import Attack


def make_checker(
    target: TargetLike,
    data: DataLike | None = None,
    attacks: AttackLike | None = None,
    *,
    member_value: MemberValue | None = None,
    access: str = "grey",
    reference: TargetLike | None = AUTO,
    limit: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    folder: Path | None = None,
    progress: Progress = silent,
) -> Checker:
    """What answers many checks under one target, calibrated once; see `check` for the arguments.

    Args:
        target: the model in question.
        data: to calibrate by.
        attacks: whom to ask.
        member_value: what stands for members in the data's column of labels.
        access: which attacks by default.
        reference: public base of the target.
        limit: of the calibration.
        seed: of all noise and draws.
        batch_size: latents in one call of the target.
        device: where targets are put.
        dtype: their precision.
        folder: where calibrations are kept; by default under the user's cache.
        progress: shows how far calibration is.
    """
    named = target_of(target)
    if data is None and pairing(named.name) is None:
        raise unknown_data(
            named.name,
            f"give pictures like yours that were not used ({option('unused')}), or known members "
            f"and others like them ({option('data')})",
        )
    base = public_base(target, reference, data_of(data, named.name).name)
    chosen = asked_attacks(attacks, access, base.given is not None)
    calibrating = loaded_data(data, named.name, member_value)
    calibrating.require(CALIBRATION, by="a check")
    record = record_of(named.name)
    rows = calibrating.rows(CALIBRATION, seed, limit)
    return Checker(
        Signals(
            loaded_target(target, device, dtype),
            chosen,
            base.load(device, dtype),
            seed,
            batch_size,
        ),
        Pictures(
            calibrating,
            limit,
            cache_folder() if folder is None else folder,
            doubts=None if record is None else record.doubts(calibrating, rows),
        ),
        progress,
    )


def kept_checker(
    target: TargetLike,
    folder: Path,
    *,
    reference: TargetLike | None = AUTO,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
) -> Checker:
    """What answers checks by a calibration that `miagym.calibrate` has kept.

    Args:
        target: the model that it was made with.
        folder: of the calibration.
        reference: the public base that it was made with; by default by the name it had then.
        batch_size: latents in one call of the target.
        device: where targets are put.
        dtype: their precision.

    Raises:
        DataError: if the folder holds no calibration.
        TargetError: if target or reference are other models than it was made with.
    """
    kept = KeptCalibration.open(folder)
    base = kept.record.reference if reference == AUTO else reference
    signals = Signals(
        loaded_target(target, device, dtype),
        attacks_of(kept.record.attacks),
        None if base is None else loaded_target(base, device, dtype),
        kept.record.seed,
        batch_size,
    )
    kept.check(signals)
    return Checker(signals, kept)


def asked_attacks(
    attacks: AttackLike | None,
    access: str,
    calibrated: bool,
    default: Mapping[str, Sequence[str]] = ATTACKS,
) -> dict[str, Attack]:
    """The attacks of a check, none of which is blind."""
    if access not in default:
        raise DataError(f"Expected {option('access')} of {' or '.join(default)}, got {access!r}.")
    if attacks is None:
        names = default[access]
        return attacks_of([with_reference(name) if calibrated else name for name in names])
    found = attacks_of(attacks)
    if blind := [name for name, attack in found.items() if attack.access == Access.BLIND]:
        raise DataError(
            f"{blind[0]} never looks at the target, so what it finds says nothing of it; name "
            "attacks that do."
        )
    return found
