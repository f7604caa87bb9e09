"""What a check answers, about one picture and about a set of them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from miagym.checking.ood import Resemblance
from miagym.metrics.auc import Interval
from miagym.metrics.conformal import RulePower
from miagym.metrics.likelihood_ratio import Ratio
from miagym.metrics.resampling.permutation import PicturesNeeded, SetTest
from miagym.metrics.sets.share import Share

SCHEMA = 1


class Verdict(StrEnum):
    """What is said of a picture. There is no word for "not a member": no score shows that."""

    MEMBER_LIKE = "member-like"
    """It scores as few non-members do: p <= alpha."""
    CANNOT_TELL = "cannot tell"
    """The ordinary answer."""
    NOT_COMPARABLE = "not comparable"
    """It does not resemble the calibration pictures, so a p-value would mean nothing."""


@dataclass(frozen=True)
class AttackRow:
    """What one attack says by itself; several such p-values are not to be picked from."""

    attack: str
    chosen: str
    """The variant, as Python builds it."""
    score: float
    p_value: float


@dataclass(frozen=True)
class Sizes:
    """How many calibration pictures stand behind an answer."""

    fitting_members: int
    fitting_nonmembers: int
    ranking_members: int
    ranking_nonmembers: int


@dataclass(frozen=True)
class Answer:
    """About one picture.

    Args:
        name: of the picture.
        verdict: in a word.
        alpha: the false positive rate that was allowed.
        score: of all attacks together; None, as are p-value and ratio, if it is not comparable.
        p_value: conformal, of that score: right on average over calibrations.
        p_range: where the share lies that it states, under this calibration (95 %).
        p_smallest: the smallest that this calibration can give.
        likelihood_ratio: at that score, member : non-member.
        guard: whether it resembles the calibration pictures.
        attacks: each by itself.
        power: of the rule that gave the verdict.
        sizes: of the calibration.
        captioned: whether captions were used, the picture's and those of the calibration pictures.
        done: what was done to the picture, in words.
        notes: what else one should know, in sentences.
        doubts: why the labels of the calibration pictures may be wrong, if they may.
    """

    name: str
    verdict: Verdict
    alpha: float
    score: float | None
    p_value: float | None
    p_range: Interval | None
    p_smallest: float
    likelihood_ratio: Ratio | None
    guard: Resemblance
    attacks: tuple[AttackRow, ...]
    power: RulePower
    sizes: Sizes
    captioned: bool
    done: tuple[str, ...]
    notes: tuple[str, ...] = ()
    doubts: str | None = None

    def as_json(self) -> dict[str, Any]:
        ratio = self.likelihood_ratio
        return {
            "picture": self.name,
            "verdict": str(self.verdict),
            "alpha": self.alpha,
            "score": self.score,
            "p_value": self.p_value,
            "p_range": self.p_range and list(self.p_range),
            "p_smallest": self.p_smallest,
            "likelihood_ratio": ratio and {"value": ratio.value, "ci": list(ratio.ci)},
            "guard": {
                "p_value": self.guard.p_value,
                "resembles": self.guard.resembles,
                "unusual": list(self.guard.unusual),
            },
            "attacks": [asdict(row) for row in self.attacks],
            "power": power_as_json(self.power),
            "calibration": vars(self.sizes) | {"captioned": self.captioned},
            "done_to_picture": list(self.done),
            "notes": list(self.notes),
            "doubts": self.doubts,
        }


@dataclass(frozen=True)
class SetAnswer:
    """About several pictures as one set.

    Args:
        verdict: of the set.
        alpha: the false positive rate that was allowed.
        pictures: how many were given.
        used: how many of them were compared.
        repeated: left out because the same picture stands in the set already.
        not_comparable: left out by the guard.
        test: None if fewer than 2 pictures are left, or the set as a whole is not comparable.
        p_smallest: the smallest p-value that the test can give.
        needed: how many pictures would do if all were members.
        captioned: whether captions were used; only if every picture has one.
        share: how much of the set was used; None where there is no test.
        doubts: why the labels of the calibration pictures may be wrong, if they may.
    """

    verdict: Verdict
    alpha: float
    pictures: int
    used: int
    repeated: int
    not_comparable: int
    test: SetTest | None
    p_smallest: float | None
    needed: PicturesNeeded
    captioned: bool
    share: Share | None = None
    doubts: str | None = None

    def as_json(self) -> dict[str, Any]:
        test = self.test
        return {
            "verdict": str(self.verdict),
            "alpha": self.alpha,
            "pictures": self.pictures,
            "used": self.used,
            "repeated": self.repeated,
            "not_comparable": self.not_comparable,
            "p_value": test and test.p_value,
            "p_smallest": self.p_smallest,
            "welch_p_value": test and test.welch_p_value,
            "mean_difference": test and test.mean_difference,
            "controls": test and test.controls,
            "needed_for_95_power": {
                "pictures": self.needed.pictures,
                "ci": list(self.needed.ci),
            },
            "captioned": self.captioned,
            "share": self.share and share_as_json(self.share),
            "doubts": self.doubts,
        }


def share_as_json(share: Share) -> dict[str, Any]:
    """The estimate, its interval, and what it rests on."""
    return {
        "value": share.value,
        "ci": list(share.ci),
        "is_lower_bound": share.is_bound,
        "pictures_at_least": share.at_least,
        "pictures": share.pictures,
        "above": share.above,
        "fpr": share.fpr,
        "tpr": share.tpr,
    }


def power_as_json(power: RulePower) -> dict[str, Any]:
    """An infinite end of an interval, which JSON has no number for, is null."""
    ci = power.times_ci
    return {
        "alpha": power.alpha,
        "tpr": power.tpr,
        "ci": list(power.ci),
        "fpr": power.fpr,
        "fpr_ci": list(power.fpr_ci),
        "times": power.times,
        "times_ci": ci and [end if math.isfinite(end) else None for end in ci],
    }
