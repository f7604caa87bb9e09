"""Calibrations in a folder of their own: made once, copied, and read without the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from miagym import __version__
from miagym.atomic import new_folder
from miagym.checking.cache import Kept, load, write
from miagym.checking.calibration import Calibration, restored, stored
from miagym.checking.sources.pictures import CalibrationSource
from miagym.errors import DataError, TargetError, option, told
from miagym.evaluation.signals import Signals
from miagym.progress import Progress

ABOUT = "calibration.json"
FILES = {True: "captioned.safetensors", False: "without-captions.safetensors"}


class CalibrationRecord(BaseModel):
    """What a calibration was made with: model, reference, data, attacks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["miagym calibration 1"] = "miagym calibration 1"
    version: str
    """Of miagym."""
    target: str
    target_fingerprint: str
    reference: str | None
    reference_fingerprint: str | None
    data: str
    data_digest: str
    attacks: tuple[str, ...]
    """Names, as `--attacks` takes them."""
    members: int
    """Pictures, without those that could not be read."""
    nonmembers: int
    seed: int
    limit: int | None
    has_captions: bool
    """Whether all its pictures have captions; a check with a caption needs that."""
    resolution: int
    """Side of the model's pictures."""
    doubts: str | None = None
    """Why the labels may be wrong, where a record of the training contradicts them."""


@dataclass(frozen=True, eq=False)
class KeptCalibration:
    """A calibration that was kept in a folder, to check by without its pictures.

    Args:
        folder: holds calibration.json and one or two files of scores.
        record: what calibration.json says.
    """

    folder: Path
    record: CalibrationRecord

    @classmethod
    def open(cls, folder: Path) -> KeptCalibration:
        """Reads what a folder says of itself; scores are read when they are needed.

        Raises:
            DataError: if it holds no calibration, or one of another version of miagym.
        """
        path = folder / ABOUT
        try:
            record = CalibrationRecord.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise DataError(
                f"{folder} holds no calibration ({path.name} cannot be read); "
                f"{told('`miagym calibrate`', '`miagym.calibrate`')} makes one."
            ) from error
        if record.version != __version__:
            raise DataError(
                f"{folder} was calibrated by miagym {record.version}, and this is {__version__}, "
                "whose attacks may differ; calibrate again."
            )
        return cls(folder, record)

    @property
    def name(self) -> str:
        return self.record.data

    @property
    def digest(self) -> str:
        return self.record.data_digest

    @property
    def doubts(self) -> str | None:
        return self.record.doubts

    def has_captions(self, seed: int) -> bool:
        del seed  # it is that of the calibration
        return self.record.has_captions

    def check(self, signals: Signals) -> None:
        """Refuses signals of another model than the calibration's.

        Raises:
            TargetError: if target or reference have other weights, or another precision.
        """
        reference = signals.reference
        pairs = (
            ("target", signals.target.name, signals.target.fingerprint),
            ("reference", reference and reference.name, reference and reference.fingerprint),
        )
        for role, name, found in pairs:
            expected = getattr(self.record, f"{role}_fingerprint")
            if expected == found:
                continue
            made = f"with the {role} {getattr(self.record, role)} ({expected})"
            given = f"{name} is {found}: another model, or the same in another precision"
            raise TargetError(
                f"{self.folder} was calibrated {f'without a {role}' if expected is None else made},"
                f" and {f'no {role} is given' if found is None else given}; give the one that it "
                "was made with, or calibrate again."
            )

    def calibration(self, signals: Signals, captioned: bool, progress: Progress) -> Calibration:
        self.check(signals)
        path = self.folder / FILES[captioned]
        kept = load(path)
        found = None if kept is None else restored(kept, signals)
        if found is None:
            raise DataError(f"{path} is missing, or is not what was written; calibrate again.")
        return found


def check_new(folder: Path) -> None:
    """Checks, before the work, that the folder of a calibration is new.

    Raises:
        DataError: if something is there already.
    """
    if folder.exists():
        raise DataError(f"{folder} is there already; choose another {option('out')}.")


def keep(
    source: CalibrationSource,
    digest: str,
    signals: Signals,
    limit: int | None,
    folder: Path,
    progress: Progress,
) -> CalibrationRecord:
    """Calibrates with captions, if all have one, and without, and writes a new folder of it.

    Args:
        source: of the pictures.
        digest: of the pictures' data set.
        signals: whom to ask.
        limit: at most so many of each side.
        folder: is new; it is written whole, or not at all.
        progress: of what takes time.

    Raises:
        DataError: if the folder exists, or there is too little to calibrate by.
        TargetError: if the target has no fingerprint, by which it could be recognised.
    """
    check_new(folder)
    if not signals.target.fingerprint:
        raise TargetError(
            f"{signals.target.name} has no fingerprint, by which a calibration recognises its "
            "model; give one that is loaded from files."
        )
    reference, has_captions = signals.reference, source.has_captions(signals.seed)
    kinds = (True, False) if has_captions else (False,)
    made = {kind: source.calibration(signals, kind, progress) for kind in kinds}
    member = made[False].member
    record = CalibrationRecord(
        version=__version__,
        target=signals.target.name,
        target_fingerprint=signals.target.fingerprint,
        reference=reference and reference.name,
        reference_fingerprint=reference and reference.fingerprint,
        data=source.name,
        data_digest=digest,
        attacks=tuple(signals.attacks),
        members=int(member.sum()),
        nonmembers=int((~member).sum()),
        seed=signals.seed,
        limit=limit,
        has_captions=has_captions,
        resolution=signals.target.resolution,
        doubts=source.doubts,
    )
    _write(folder, record, {kind: stored(one) for kind, one in made.items()})
    return record


def _write(folder: Path, record: CalibrationRecord, made: dict[bool, Kept]) -> None:
    with new_folder(folder) as partial:
        for kind, kept in made.items():
            write(partial / FILES[kind], kept)
        text = record.model_dump_json(indent=2)
        (partial / ABOUT).write_text(text + "\n", encoding="utf-8")
