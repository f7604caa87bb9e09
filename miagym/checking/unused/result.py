"""What a check by unused pictures answers, about each picture and about their set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miagym.checking.answer import Verdict, share_as_json
from miagym.checking.sets.listing import Listed
from miagym.checking.unused.control import UnusedControl
from miagym.metrics.auc import Interval
from miagym.metrics.resampling.permutation import SetTest
from miagym.metrics.sets.anytime import EValue
from miagym.metrics.sets.share import Share


@dataclass(frozen=True)
class PictureAnswer:
    """About one picture.

    Args:
        name: of the picture.
        verdict: in a word.
        score: by the one attack; None, as are p-value and range, where it is not comparable.
        p_value: conformal, against the unused pictures: right on average over draws of these.
        p_range: where the share lies that it states, under these very ones (95 %).
        unusual: in what it is unlike the unused pictures, in words.
        done: what was done to the picture, in words.
    """

    name: str
    verdict: Verdict
    score: float | None
    p_value: float | None
    p_range: Interval | None
    unusual: tuple[str, ...]
    done: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "picture": self.name,
            "verdict": str(self.verdict),
            "score": self.score,
            "p_value": self.p_value,
            "p_range": self.p_range and list(self.p_range),
            "unusual": list(self.unusual),
            "done_to_picture": list(self.done),
        }


@dataclass(frozen=True)
class SetFinding:
    """About all pictures as one set.

    Args:
        test: against the unused pictures.
        p_smallest: the smallest p-value that so many pictures can give.
        missing: how many more unused pictures it takes before that is as small as alpha.
        share: how much of the set was used, at least.
        e_value: evidence that may be looked at after every picture that is added.
    """

    test: SetTest
    p_smallest: float
    missing: int
    share: Share
    e_value: EValue

    def as_json(self) -> dict[str, Any]:
        return {
            "p_value": self.test.p_value,
            "p_smallest": self.p_smallest,
            "welch_p_value": self.test.welch_p_value,
            "mean_difference": self.test.mean_difference,
            "compared": self.test.suspects,
            "controls": self.test.controls,
            "unused_missing": self.missing,
            "share": share_as_json(self.share),
            "e_value": {"log10": self.e_value.log10, "p_value": self.e_value.p_value},
        }


@dataclass(frozen=True, eq=False)
class UnusedFinding:
    """All that a check by unused pictures found.

    Args:
        verdict: of the set; of the one picture, if there is one.
        alpha: the false positive rate that was allowed.
        attack: its name.
        chosen: the attack, as Python builds it.
        control: whether the unused pictures are a control.
        pictures: about each picture that can be compared, in order.
        together: about their set; None for one picture, or under a control that is no good.
        listed: pictures at a false discovery rate, if one was asked for.
        unused: how many different unused pictures there are.
        p_smallest: the smallest p-value that they can give one picture.
        missing: how many more of them it takes before that is as small as alpha.
        captions: how captions were used, in a sentence.
        cautions: what else may explain the answer, in sentences.
        repeated: by picture of either side, which earlier one it repeats.
        skipped: by side and picture, why it could not be used.
    """

    verdict: Verdict
    alpha: float
    attack: str
    chosen: str
    control: UnusedControl
    pictures: tuple[PictureAnswer, ...]
    together: SetFinding | None
    listed: Listed | None
    unused: int
    p_smallest: float
    missing: int
    captions: str
    cautions: tuple[str, ...]
    repeated: Mapping[str, str]
    skipped: Mapping[str, Mapping[str, str]]

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "alpha": self.alpha,
            "attack": self.attack,
            "chosen": self.chosen,
            "control": self.control.as_json(),
            "unused": self.unused,
            "p_smallest": self.p_smallest,
            "unused_missing": self.missing,
            "pictures": [answer.as_json() for answer in self.pictures],
            "set": self.together and self.together.as_json(),
            "listed": self.listed and self.listed.as_json(),
            "captions": self.captions,
            "cautions": list(self.cautions),
            "repeated": dict(self.repeated),
            "skipped": {side: dict(why) for side, why in self.skipped.items()},
        }
