"""Pictures of known membership, to calibrate by; and what a checker asks of any such source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from miagym.checking.calibration import Calibration, calibrate
from miagym.data.dataset import CALIBRATION, Dataset
from miagym.evaluation.signals import Signals
from miagym.progress import Progress


class CalibrationSource(Protocol):
    """Where a checker's calibration comes from."""

    @property
    def name(self) -> str:
        """What answers call it."""
        ...

    @property
    def digest(self) -> str:
        """Of the pictures, their captions, labels and parts."""
        ...

    @property
    def doubts(self) -> str | None:
        """Why the labels may be wrong, where a record of the training contradicts them."""
        ...

    def has_captions(self, seed: int) -> bool:
        """Whether all calibration pictures have captions, without which none can be used."""
        ...

    def calibration(self, signals: Signals, captioned: bool, progress: Progress) -> Calibration:
        """The calibration with captions, or without.

        Raises:
            DataError: if there is none.
        """
        ...


@dataclass(frozen=True, eq=False)
class Pictures:
    """Members of a target and non-members like them; only their calibration part is used.

    Args:
        data: the pictures.
        limit: at most so many members, and so many non-members.
        folder: where calibrations are kept; None keeps none.
        doubts: why the labels may be wrong, if they may.
    """

    data: Dataset
    limit: int | None = None
    folder: Path | None = None
    doubts: str | None = None

    @property
    def name(self) -> str:
        return self.data.name

    @property
    def digest(self) -> str:
        return self.data.digest

    def has_captions(self, seed: int) -> bool:
        rows = self.data.rows(CALIBRATION, seed, self.limit)
        return all(self.data.captions[row].strip() for row in rows)

    def calibration(self, signals: Signals, captioned: bool, progress: Progress) -> Calibration:
        return calibrate(
            signals,
            self.data,
            captioned=captioned,
            limit=self.limit,
            folder=self.folder,
            progress=progress,
        )
