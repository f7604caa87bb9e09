"""Checks of uploads: one checker for each model that the page offers, shared by all visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from miagym.app.check.pictures import open_set
from miagym.app.offers import EMBEDDED, SEED, Offer, offer_called, short_name
from miagym.app.server.zero_gpu import on_zero_gpu
from miagym.checking.cache import cache_folder
from miagym.checking.upload import Upload, open_upload
from miagym.metrics.conformal import passing
from miagym.targets.registry import target_resolution

if TYPE_CHECKING:
    from miagym.api.checking.result import Check
    from miagym.checking.answer import Answer, SetAnswer
    from miagym.checking.checker import Checker

TARGETS = tuple(offer.name for offer in EMBEDDED)

Answers = tuple[tuple["Answer", ...], "SetAnswer | None"]
"""About each picture, and about their set if they are one."""
Ask = Callable[[Offer, tuple[Upload, ...], bool], Answers]
"""Like `CheckService.answers`."""
Pay = Callable[[int], None]
"""Called with UNet rows once all is read, and before anything is computed; may raise."""


@dataclass(frozen=True, eq=False)
class RankScale:
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


class CheckService:
    """Checks uploads under the models that a page offers, as `miagym check` does by default.

    A model is loaded when somebody first asks about it. Threads may share the service.

    Args:
        device: where targets are put.
        folder: where calibrations are kept, beside those that the package brings.
        ask: what answers in its place, in another process say.
        offers: the models.
    """

    def __init__(
        self,
        device: str = "auto",
        folder: Path | None = None,
        ask: Ask | None = None,
        offers: Sequence[Offer] = EMBEDDED,
    ) -> None:
        self.offers = tuple(offers)
        self._device = device
        self._folder = cache_folder() if folder is None else folder
        self._checkers: dict[Offer, Checker] = {}
        self._warm: set[tuple[str, bool]] = set()
        self._lock = RLock()
        self._ask = self.answers if ask is None else ask

    def check(
        self, picture: Path, caption: str | None, target: str, *, pay: Pay = lambda rows: None
    ) -> Check:
        """The answer about one picture.

        Raises:
            DataError: if it is no picture that can be used.
        """
        upload = open_upload(picture, self.resolution(target), caption=caption)
        pay(self.rows(target))
        found = self._found(target, (upload,), {}, is_set=False)
        self._warm.add((target, found.answers[0].captioned))
        return found

    def check_set(
        self, given: Mapping[str, Path], target: str, *, pay: Pay = lambda rows: None
    ) -> Check:
        """The answers about several pictures, each with its caption beside it or without.

        Args:
            given: files by the names that visitors gave them.
            target: one that the page offers.
            pay: for all of them.

        Raises:
            DataError: if there are too few pictures that can be used, or too many.
        """
        uploads, skipped = open_set(given, self.resolution(target))
        pay(self.rows(target, len(uploads)))
        return self._found(target, tuple(uploads), skipped, is_set=True)

    def _found(
        self, target: str, uploads: tuple[Upload, ...], skipped: Mapping[str, str], *, is_set: bool
    ) -> Check:
        from miagym.api.checking.result import Check

        offer = self.offer(target)
        answers, together = self._ask(offer, uploads, is_set)
        # Visitors are told no path of this machine.
        data, base = short_name(offer.data_name), offer.base and short_name(offer.base)
        return Check(target, data, base, SEED, answers, together, skipped)

    def answers(self, offer: Offer, uploads: tuple[Upload, ...], is_set: bool) -> Answers:
        """What is said about pictures that are read and paid for."""
        checker = self._checker(offer)
        answers = tuple(checker.check(upload) for upload in uploads)
        return answers, checker.check_set(uploads) if is_set else None

    def rows(self, target: str, pictures: int = 1, attacks: Sequence[str] | None = None) -> int:
        """UNet rows that a check costs, those of the reference included; nothing is loaded."""
        from miagym.api.names import attacks_of

        offer = self.offer(target)
        once = sum(
            attack.cost.unet_rows for attack in attacks_of(attacks or offer.attacks).values()
        )
        return once * pictures * (1 if offer.base is None else 2)

    def scale(self, target: str, captioned: bool) -> RankScale:
        """The calibration scores that a check with (without) caption is read against."""
        from miagym.checking.alpha import ALPHA
        from miagym.checking.calibrated import TOGETHER

        calibrated = self.checker(target).calibrated(captioned)
        return RankScale(calibrated.members[TOGETHER], calibrated.nonmembers[TOGETHER], ALPHA)

    def warm(self, target: str) -> None:
        """Does now what the first checks under a target would wait for."""
        for captioned in (True, False):
            self.checker(target).calibrated(captioned)
            self._warm.add((target, captioned))

    def is_warm(self, target: str, captioned: bool) -> bool:
        """Whether the calibration is in memory."""
        return (target, captioned) in self._warm

    def offer(self, target: str) -> Offer:
        """What the page offers by this name; no other name reaches the file system.

        Raises:
            UnknownName: if it offers no such model.
        """
        return offer_called(self.offers, target)

    def resolution(self, target: str) -> int:
        """Side of a model's pictures."""
        return target_resolution(self.offer(target).target)

    def checker(self, target: str) -> Checker:
        """The checker of a model.

        Raises:
            UnknownName: if the page does not offer it.
        """
        return self._checker(self.offer(target))

    def _checker(self, offer: Offer) -> Checker:
        with self._lock:
            if offer not in self._checkers:
                self._checkers[offer] = offer.checker(self._device, SEED, self._folder)
            return self._checkers[offer]


@cache
def check_service(device: str, offers: tuple[Offer, ...] = EMBEDDED) -> CheckService:
    """The service of this process; where a Space lends a GPU, answers come from one that has it."""
    return CheckService(device, ask=ANSWERS_ON_GPU, offers=offers)


def answers_on_gpu(offer: Offer, uploads: tuple[Upload, ...], is_set: bool) -> Answers:
    """`CheckService.answers` in the process that runs this, on its GPU if there is one."""
    return _gpu_service().answers(offer, uploads, is_set)


def _seconds(offer: Offer, uploads: tuple[Upload, ...], is_set: bool) -> int:
    """The first call of a process loads the targets; each picture takes about a second."""
    return 15 + 2 * len(uploads)


@cache
def _gpu_service() -> CheckService:
    return CheckService("auto")


ANSWERS_ON_GPU = on_zero_gpu(answers_on_gpu, _seconds)
