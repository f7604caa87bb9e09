"""Checks: pictures in, answers out; calibration happens once, when it is first needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from threading import RLock

import numpy as np

from miagym.checking.alpha import ALPHA, check_alpha
from miagym.checking.answer import Answer, AttackRow, SetAnswer, Sizes, Verdict
from miagym.checking.calibrated import TOGETHER, CalibratedScores
from miagym.checking.ood import too_many_refused
from miagym.checking.sources.pictures import CalibrationSource
from miagym.checking.survey import without_captions
from miagym.checking.upload import Upload
from miagym.evaluation.signals import Signals
from miagym.metrics.conformal import fpr_range, p_values, smallest_p
from miagym.metrics.resampling.permutation import (
    pictures_needed,
    set_test,
    shared_margin,
    smallest_set_p,
)
from miagym.metrics.sets.share import share_of_set
from miagym.progress import Progress, silent

ATTACKS = {
    "black": ("rediffuse", "text-to-image"),
    "grey": ("sima", "pia", "loss", "clid"),
}
"""What a check asks by default at each access level: quick ones, which the combination weighs."""


class Checker:
    """Answers whether pictures look like members of a target's training data.

    Threads may share it.

    Args:
        signals: attacks, target and seed.
        source: pictures of known membership, or a calibration that was kept.
        progress: of what takes time.
    """

    def __init__(
        self,
        signals: Signals,
        source: CalibrationSource,
        progress: Progress = silent,
    ) -> None:
        self.signals, self.source, self._progress = signals, source, progress
        self._calibrated: dict[bool, CalibratedScores] = {}
        self._lock = RLock()

    def calibrated(self, captioned: bool) -> CalibratedScores:
        """Scores of pictures with captions, or without, calibrated at the first call.

        Raises:
            DataError: see `calibrate`.
        """
        with self._lock:
            if captioned not in self._calibrated:
                calibration = self.source.calibration(self.signals, captioned, self._progress)
                calibrated = CalibratedScores(self.signals, calibration)
                calibrated.prepare()
                self._calibrated[captioned] = calibrated
            return self._calibrated[captioned]

    @cached_property
    def captions_known(self) -> bool:
        """Whether all calibration pictures have captions, without which none can be used."""
        return self.source.has_captions(self.signals.seed)

    def check(self, upload: Upload, alpha: float = ALPHA) -> Answer:
        """The answer about one picture.

        Raises:
            DataError: if alpha is no share, or calibration is not possible.
        """
        check_alpha(alpha)
        captioned = upload.captioned and self.captions_known
        calibrated = self.calibrated(captioned)
        picture = upload.candidate if captioned else without_captions(upload.candidate)
        nonmembers, guard = calibrated.nonmembers, calibrated.resemblance(picture)
        n = len(nonmembers[TOGETHER])
        verdict, score, p, ratio = Verdict.NOT_COMPARABLE, None, None, None
        rows: tuple[AttackRow, ...] = ()
        if guard.resembles:
            scores = calibrated.scores(picture)
            each = {name: float(p_values(s, nonmembers[name])[0]) for name, s in scores.items()}
            score, p = scores[TOGETHER], each[TOGETHER]
            ratio = calibrated.ratio(score)
            verdict = Verdict.MEMBER_LIKE if p <= alpha else Verdict.CANNOT_TELL
            rows = tuple(
                AttackRow(name, repr(attack), scores[name], each[name])
                for name, attack in calibrated.calibration.attacks.items()
            )
        return Answer(
            name=upload.name,
            verdict=verdict,
            alpha=alpha,
            score=score,
            p_value=p,
            p_range=None if p is None else fpr_range(p, n, worth=calibrated.worth[1]),
            p_smallest=smallest_p(n),
            likelihood_ratio=ratio,
            guard=guard,
            attacks=rows,
            power=calibrated.power(alpha),
            sizes=_sizes(calibrated),
            captioned=captioned,
            done=upload.done,
            notes=self._notes(upload, calibrated, captioned, calibrated.label(picture)),
            doubts=self.source.doubts,
        )

    def check_set(self, uploads: Sequence[Upload], alpha: float = ALPHA) -> SetAnswer:
        """The one answer about several pictures: do they score higher than non-members do?

        They are compared with the ranking part's non-members, one of each group. Under hypothesis
        0, that suspects are exchangeable with these, a permutation test is exact over calibrations;
        for this one, which all questions share, a margin is added (see `shared_margin`). The same
        picture twice is no further evidence, and counts once.

        Raises:
            DataError: if alpha is no share, or calibration is not possible.
        """
        check_alpha(alpha)
        captioned = self.captions_known and all(upload.captioned for upload in uploads)
        calibrated = self.calibrated(captioned)
        given = [u.candidate if captioned else without_captions(u.candidate) for u in uploads]
        distinct = list({picture.keys[0]: picture for picture in given}.values())
        similar = [picture for picture in distinct if calibrated.resemblance(picture).resembles]
        strange = len(distinct) - len(similar)
        controls = calibrated.controls
        test, smallest, verdict = None, None, Verdict.NOT_COMPARABLE
        refused = too_many_refused(strange, len(distinct), calibrated.guard.level)
        share = None
        if len(similar) >= 2 and not refused:
            scores = np.array([calibrated.scores(picture)[TOGETHER] for picture in similar])
            test = set_test(scores, controls, self.signals.seed, margin=shared_margin(controls))
            smallest = smallest_set_p(test.suspects, test.controls)
            share = share_of_set(
                scores,
                calibrated.members[TOGETHER],
                calibrated.nonmembers[TOGETHER],
                self.signals.seed,
                calibrated.worth,
            )
            verdict = Verdict.MEMBER_LIKE if test.p_value <= alpha else Verdict.CANNOT_TELL
        return SetAnswer(
            verdict=verdict,
            alpha=alpha,
            pictures=len(uploads),
            used=0 if test is None else len(similar),
            repeated=len(given) - len(distinct),
            not_comparable=strange,
            test=test,
            p_smallest=smallest,
            needed=pictures_needed(
                calibrated.members[TOGETHER], controls, alpha, self.signals.seed
            ),
            captioned=captioned,
            share=share,
            doubts=self.source.doubts,
        )

    def _notes(
        self, upload: Upload, calibrated: CalibratedScores, captioned: bool, label: bool | None
    ) -> tuple[str, ...]:
        notes = []
        if not upload.captioned and self.captions_known:
            notes.append("Without a caption, all were asked about under the empty prompt.")
        if upload.captioned and not captioned:
            notes.append(
                "The caption was not used, since not all calibration pictures have one; all were "
                "asked about under the empty prompt."
            )
        if label is not None:
            which = "member" if label else "non-member"
            notes.append(
                f"This very picture is a {which} of the calibration part: the answer was known, "
                "and the p-value counts the picture against itself."
            )
        left_out = calibrated.calibration.left_out
        notes += [f"{name} was left out: {why}" for name, why in left_out.items()]
        return tuple(notes)


def _sizes(calibrated: CalibratedScores) -> Sizes:
    c = calibrated.calibration
    return Sizes(*(
        int((c.fitting == fitting)[c.member == member].sum())
        for fitting in (True, False)
        for member in (True, False)
    ))  # fmt: skip
