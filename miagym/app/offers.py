"""Models that a page offers: named by whoever runs it, and never by a visitor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.errors import DataError, MiagymError, RunError, UnknownName, option
from miagym.evaluation.config import AUTO

if TYPE_CHECKING:
    from miagym.checking.checker import Checker


SEED = 0
"""Of the noise and draws of all checks on a page."""


@dataclass(frozen=True)
class Offer:
    """A model, and what its checks are calibrated by.

    Args:
        target: as `miagym.load_target` takes it.
        name: what visitors see, in a word or two.
        about: what it was trained on, in a few words; "" for nothing.
        data: known members and others; None for those of an embedded target.
        reference: the public base; `AUTO` for the one that is known, None for none.
        calibration: a folder of `miagym.calibrate`, in the place of data.
    """

    target: str
    name: str
    about: str = ""
    data: str | None = None
    reference: str | None = AUTO
    calibration: Path | None = None

    @property
    def label(self) -> str:
        """What the choice of models shows."""
        return f"{self.name} ({self.about})" if self.about else self.name

    @property
    def data_name(self) -> str:
        """What answers call the pictures that it is calibrated by."""
        from miagym.api.names import data_of
        from miagym.checking.sources.kept import KeptCalibration

        if self.calibration is not None:
            return KeptCalibration.open(self.calibration).name
        return data_of(self.data, self.target).name

    def attacks(self) -> tuple[str, ...]:
        """Names of the attacks that a check asks; nothing large is loaded."""
        from miagym.api.names import with_reference
        from miagym.checking.checker import ATTACKS
        from miagym.checking.sources.kept import KeptCalibration

        if self.calibration is not None:
            return KeptCalibration.open(self.calibration).record.attacks
        base = self.base()
        return tuple(with_reference(n) if base is not None else n for n in ATTACKS["grey"])

    def base(self) -> str | None:
        """The name of the public base that answers are compared with; None for none."""
        from miagym.api.reference import public_base
        from miagym.checking.sources.kept import KeptCalibration

        if self.reference == AUTO and self.calibration is not None:
            return KeptCalibration.open(self.calibration).record.reference
        found = public_base(self.target, self.reference, self.data).given
        return None if found is None else str(found)

    def checker(self, device: str, seed: int, folder: Path) -> Checker:
        """Loads the model, and what calibrates it.

        Raises:
            MiagymError: in one sentence, if either is not to be had.
        """
        from miagym.api.checkers import kept_checker, make_checker
        from miagym.targets.registry import shared_target

        base = self.base()
        target = shared_target(self.target, device)
        reference = None if base is None else shared_target(base, device)
        if self.calibration is not None:
            return kept_checker(target, self.calibration, reference=reference)
        return make_checker(target, self.data, reference=reference, seed=seed, folder=folder)


EMBEDDED = (
    Offer("clipart-overfit", "clipart-overfit", "trained too long on few drawings"),
    Offer("clipart-realistic", "clipart-realistic", "trained as large models are"),
)
"""What a page offers where nobody says otherwise."""


def offer_called(offers: Sequence[Offer], name: str) -> Offer:
    """The offer of this name.

    Raises:
        UnknownName: if the page does not offer it.
    """
    found = next((offer for offer in offers if offer.name == name), None)
    if found is None:
        raise UnknownName("target", name, [offer.name for offer in offers])
    return found


def offered(calibrations: Sequence[Path]) -> tuple[Offer, ...]:
    """The models whose calibrations lie in these folders, called by the last part of their names.

    Raises:
        DataError: if a folder holds no calibration, or two are of one model.
    """
    from miagym.checking.sources.kept import KeptCalibration

    offers: list[Offer] = []
    for folder in calibrations:
        record = KeptCalibration.open(folder).record
        name = record.target.rstrip("/").rpartition("/")[2]
        sizes = f"{record.members} members and {record.nonmembers} others of {record.data}"
        if name in [offer.name for offer in offers]:
            raise DataError(f"Two calibrations are of {name}; a page offers each model once.")
        offers.append(Offer(record.target, name, f"calibrated by {sizes}", calibration=folder))
    return tuple(offers)


def named(
    targets: Sequence[str], data: Sequence[str], references: Sequence[str]
) -> tuple[Offer, ...]:
    """The models that are calibrated by pictures, called by the last part of their names.

    Args:
        targets: as `miagym.load_target` takes them.
        data: known members and others, one for each target.
        references: public bases, one for each target, "-" for none; or no name at all.

    Raises:
        DataError: if these are not as many, or two targets have one name.
    """
    bases = references or [AUTO] * len(targets)
    if not len(targets) == len(data) == len(bases):
        raise DataError(
            f"Got {len(targets)} targets, {len(data)} data sets and {len(references)} references; "
            f"give each {option('target')} one {option('data')}, and one {option('reference')} "
            "(- for none) if you give any."
        )
    names = [target.rstrip("/").rpartition("/")[2] for target in targets]
    if len(set(names)) < len(names):
        raise DataError(f"Two models are called {names[0]}; a page offers each name once.")
    return tuple(
        Offer(target, name, f"calibrated by {known}", known, None if base == "-" else base)
        for target, name, known, base in zip(targets, names, data, bases, strict=True)
    )


def loadable(
    offers: Sequence[Offer], device: str, folder: Path, tell: Callable[[str], None]
) -> tuple[Offer, ...]:
    """Those whose models can be loaded, and calibrated; about the others a sentence is told.

    Raises:
        RunError: if there is none.
    """
    found = []
    for offer in offers:
        try:
            offer.checker(device, SEED, folder).calibrated(captioned=False)
        except MiagymError as error:
            tell(f"{offer.name} is not offered: {error}")
        else:
            found.append(offer)
    if not found:
        raise RunError("None of the models can be offered, for the reasons above; nothing to open.")
    return tuple(found)
