"""Models that a page offers: named by whoever runs it, and never by a visitor."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.errors import DataError, MiagymError, RunError, UnknownName, option
from miagym.evaluation.config import AUTO

if TYPE_CHECKING:
    from miagym.checking.checker import Checker
    from miagym.checking.sources.kept import KeptCalibration


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
        pictures: what it was trained on, in a word, as answers say it.
    """

    target: str
    name: str
    about: str = ""
    data: str | None = None
    reference: str | None = AUTO
    calibration: Path | None = None
    pictures: str = "pictures"

    @property
    def label(self) -> str:
        """What the choice of models shows."""
        return f"{self.name} ({self.about})" if self.about else self.name

    @cached_property
    def kept(self) -> KeptCalibration | None:
        """The calibration, if it lies in a folder; its scores are read when they are needed."""
        from miagym.checking.sources.kept import KeptCalibration

        return None if self.calibration is None else KeptCalibration.open(self.calibration)

    @property
    def data_name(self) -> str:
        """What answers call the pictures that it is calibrated by."""
        from miagym.api.names import data_of

        return self.kept.name if self.kept else data_of(self.data, self.target).name

    @property
    def attacks(self) -> tuple[str, ...]:
        """Names of the attacks that a check asks; nothing large is loaded."""
        from miagym.api.names import with_reference
        from miagym.checking.checker import ATTACKS

        if self.kept:
            return self.kept.record.attacks
        return tuple(with_reference(n) if self.base is not None else n for n in ATTACKS["grey"])

    @cached_property
    def base(self) -> str | None:
        """The name of the public base that answers are compared with; None for none."""
        from miagym.api.checking.reference import public_base

        if self.reference == AUTO and self.kept:
            return self.kept.record.reference
        found = public_base(self.target, self.reference, self.data).given
        return None if found is None else str(found)

    def checker(self, device: str, seed: int, folder: Path) -> Checker:
        """Loads the model, and what calibrates it.

        Raises:
            MiagymError: in one sentence, if either is not to be had.
        """
        from miagym.api.checking.checkers import kept_checker, make_checker
        from miagym.targets.registry import shared_target

        target = shared_target(self.target, device)
        reference = None if self.base is None else shared_target(self.base, device)
        if self.calibration is not None:
            return kept_checker(target, self.calibration, reference=reference)
        return make_checker(target, self.data, reference=reference, seed=seed, folder=folder)


EMBEDDED = (
    Offer(
        "clipart-overfit",
        "clipart-overfit",
        "trained too long on few drawings",
        pictures="drawings",
    ),
    Offer(
        "clipart-realistic", "clipart-realistic", "trained as large models are", pictures="drawings"
    ),
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

    offers = []
    for folder in calibrations:
        record = KeptCalibration.open(folder).record
        sizes = f"{record.members} members and {record.nonmembers} others of {record.data}"
        about = f"calibrated by {sizes}"
        offers.append(Offer(record.target, short_name(record.target), about, calibration=folder))
    return distinct(offers)


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
    return distinct(
        [
            Offer(
                target, short_name(target), f"calibrated by {known}", known, None if b == "-" else b
            )
            for target, known, b in zip(targets, data, bases, strict=True)
        ]
    )


def distinct(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Offers of which each has a name of its own, by which visitors choose.

    Raises:
        DataError: if two have one name.
    """
    names = [offer.name for offer in offers]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(
            f"Two models are called {twice}: a page offers each model once, and offers each name "
            "once."
        )
    return tuple(offers)


def short_name(target: str) -> str:
    """The last part of a name or a path."""
    return re.split(r"[/\\]", target.rstrip("/\\"))[-1]


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
