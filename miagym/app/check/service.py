"""The desk where pictures are checked: one checker for each embedded target, shared by visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from miagym.atomic import replacing
from miagym.checking.cache import cache_folder
from miagym.checking.upload import Upload, caption_in, open_upload
from miagym.embedded.pairings import Pairing, pairing
from miagym.errors import DataError, UnknownName
from miagym.metrics.conformal import passing
from miagym.targets.registry import shared_target, target_resolution

if TYPE_CHECKING:
    from attacks import Attack
    from miagym.checking.answer import Answer, SetAnswer
    from miagym.checking.checker import Checker

TARGETS = ("clipart-overfit", "clipart-realistic")
MOST = 20
"""Pictures of one set."""
SEED = 0

Answers = tuple[tuple["Answer", ...], "SetAnswer | None"]
"""About each picture, and about their set if they are one."""
Ask = Callable[[str, tuple[Upload, ...], bool], Answers]
"""Like `CheckDesk.answers`."""
Pay = Callable[[int], None]
"""Called with UNet rows once all is read, and before anything is computed; may raise."""


@dataclass(frozen=True, eq=False)
class Scale:
    """What a score is read against: the scores of calibration pictures that rank.

    Args:
        members: scores (m,).
        nonmembers: scores (n,).
        alpha: the rule's false positive rate.
    """

    members: NDArray[np.float64]
    nonmembers: NDArray[np.float64]
    alpha: float

    @property
    def threshold(self) -> float | None:
        """Above it p <= alpha; None where so few non-members cannot resolve alpha."""
        rank = passing(self.alpha, len(self.nonmembers))
        return float(np.sort(self.nonmembers)[-rank]) if rank else None


@dataclass(frozen=True)
class SetCheck:
    """Several pictures: the answer about each, about all of them, and what could not be read."""

    answers: tuple[Answer, ...]
    together: SetAnswer
    skipped: Mapping[str, str]


class CheckDesk:
    """Checks uploads under the embedded targets, as `miagym check` does by default.

    A target is loaded when somebody first asks about it. Threads may share the desk.

    Args:
        device: where targets are put.
        folder: where calibrations are kept; those that the package brings are put there first.
        ask: what answers in its place, in another process say.
    """

    def __init__(
        self, device: str = "auto", folder: Path | None = None, ask: Ask | None = None
    ) -> None:
        self._device = device
        self._folder = cache_folder() if folder is None else folder
        self._checkers: dict[str, Checker] = {}
        self._warm: set[tuple[str, bool]] = set()
        self._lock = RLock()
        self._ask = self.answers if ask is None else ask

    def check(
        self, picture: Path, caption: str | None, target: str, *, pay: Pay = lambda rows: None
    ) -> Answer:
        """The answer about one picture.

        Raises:
            DataError: if it is no picture that can be used.
        """
        upload = open_upload(picture, _side(target), caption=caption)
        pay(self.rows(target))
        (answer,), _ = self._ask(target, (upload,), False)
        self._warm.add((target, answer.captioned))
        return answer

    def check_set(
        self, given: Mapping[str, Path], target: str, *, pay: Pay = lambda rows: None
    ) -> SetCheck:
        """The answers about several pictures, each with its caption in a .txt beside it or without.

        Args:
            given: files by the names that visitors gave them.
            target: an embedded one.
            pay: for all of them.

        Raises:
            DataError: if there are too few pictures that can be used, or too many.
        """
        uploads, skipped = _read(given, _side(target))
        pay(self.rows(target, len(uploads)))
        answers, together = self._ask(target, tuple(uploads), True)
        assert together is not None
        return SetCheck(answers, together, skipped)

    def answers(self, target: str, uploads: tuple[Upload, ...], is_set: bool) -> Answers:
        """What is said about pictures that are read and paid for."""
        checker = self.checker(target)
        answers = tuple(checker.check(upload) for upload in uploads)
        return answers, checker.check_set(uploads) if is_set else None

    def rows(self, target: str, pictures: int = 1) -> int:
        """UNet rows that a check costs, those of the reference included."""
        paired = paired_with(target)
        once = sum(attack.cost.unet_rows for attack in _attacks(paired).values())
        return once * pictures * (1 if paired.reference is None else 2)

    def scale(self, target: str, captioned: bool) -> Scale:
        """The calibration scores that a check with (without) caption is read against."""
        from miagym.checking.answer import ALPHA
        from miagym.checking.calibrated import TOGETHER

        calibrated = self.checker(target).calibrated(captioned)
        return Scale(calibrated.members[TOGETHER], calibrated.nonmembers[TOGETHER], ALPHA)

    def warm(self, target: str) -> None:
        """Does now what the first checks under a target would wait for."""
        for captioned in (True, False):
            self.checker(target).calibrated(captioned)
            self._warm.add((target, captioned))

    def is_warm(self, target: str, captioned: bool) -> bool:
        """Whether the calibration is in memory."""
        return (target, captioned) in self._warm

    def checker(self, target: str) -> Checker:
        """The checker of an embedded target.

        Raises:
            UnknownName: if the page does not offer it.
        """
        from miagym.checking.checker import Checker
        from miagym.checking.signals import Panel
        from miagym.data.registry import load_data

        paired = paired_with(target)
        with self._lock:
            if target not in self._checkers:
                bring_calibrations(self._folder)
                base = paired.reference
                panel = Panel(
                    shared_target(target, self._device),
                    _attacks(paired),
                    None if base is None else shared_target(base, self._device),
                    SEED,
                )
                data = load_data(paired.data)
                self._checkers[target] = Checker(panel, data, folder=self._folder)
            return self._checkers[target]


def bring_calibrations(folder: Path) -> None:
    """Puts the calibrations of the package among those that are kept.

    Each is named by a digest of all that decided it: one of another version is never read.
    """
    for shipped in Path(str(files("miagym").joinpath("assets/calibration"))).glob("*.safetensors"):
        kept = folder / shipped.name
        with suppress(OSError):  # what cannot be put there is computed again
            if not kept.exists():
                with replacing(kept) as partial:
                    partial.write_bytes(shipped.read_bytes())


def paired_with(target: str) -> Pairing:
    """What belongs to a target that the page offers.

    Raises:
        UnknownName: if it offers no such target.
    """
    paired = pairing(target) if target in TARGETS else None
    if paired is None:
        raise UnknownName("target", target, TARGETS)
    return paired


def _attacks(paired: Pairing) -> dict[str, Attack]:
    from attacks import REFERENCE, make_attack
    from miagym.checking.signals import ATTACKS

    names = [name + (REFERENCE if paired.reference else "") for name in ATTACKS["grey"]]
    return {name: make_attack(name) for name in names}


def _side(target: str) -> int:
    paired_with(target)  # no other name reaches the file system
    return target_resolution(target)


def _read(given: Mapping[str, Path], size: int) -> tuple[list[Upload], dict[str, str]]:
    """The pictures that can be used, and why the others cannot."""
    pictures = {name: path for name, path in given.items() if not _is_text(name)}
    if len(pictures) > MOST:
        raise DataError(f"Expected at most {MOST} pictures at once, got {len(pictures)}.")
    uploads: list[Upload] = []
    skipped: dict[str, str] = {}
    for name, path in pictures.items():
        beside = given.get(f"{Path(name).stem}.txt")
        try:
            text = None if beside is None else caption_in(beside)
            uploads.append(open_upload(path, size, caption=text, name=name))
        except DataError as error:
            skipped[name] = str(error)
    if len(uploads) < 2:
        raise DataError(
            f"A set needs at least 2 pictures that can be read, got {len(uploads)} of "
            f"{len(pictures)} files; for a single picture, use the other tab."
        )
    return uploads, skipped


def _is_text(name: str) -> bool:
    return name.lower().endswith(".txt")
