"""Whether unused pictures are a control at all: the audit of both sides, before any p-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from miagym.auditing.cues import cue_in_words
from miagym.auditing.data_source import AuditData
from miagym.auditing.result import Audit
from miagym.auditing.verdict import MAX_FALSE_ALARMS, AuditVerdict, blind_row_in_words
from miagym.checking.unused.sides import Side
from miagym.errors import DataError
from miagym.progress import Progress, silent
from miagym.results import AuditCue

MAX_ROWS = 1000
"""Pictures of each side that are audited."""


class ControlStanding(StrEnum):
    """What an audit says of a control."""

    GOOD = "good"
    """Nothing tells the sides apart without the model, and there were enough to see it."""
    UNKNOWN = "unknown"
    """Nothing was found, but there are too few to rule out a difference that matters."""
    UNAUDITED = "not audited"
    """There are too few for any audit."""
    BAD = "no good"
    """The sides differ in more than membership, so that a p-value would mean nothing."""


@dataclass(frozen=True, eq=False)
class UnusedControl:
    """What is known of the unused pictures as a control for the pictures in question.

    Args:
        standing: in a word.
        words: in a sentence or two.
        audit: all that was found, the pictures in question as members; None if there was none.
    """

    standing: ControlStanding
    words: str
    audit: Audit | None

    def as_json(self) -> dict[str, Any]:
        return {
            "standing": str(self.standing),
            "words": self.words,
            "audit": self.audit and self.audit.as_json(),
        }


def audit_control(
    given: Side, unused: Side, captioned: bool, seed: int, progress: Progress = silent
) -> UnusedControl:
    """Asks whether captions, files or pixels tell the sides apart, without any model.

    All that is looked at shares one rate of false alarms (Westfall & Young 1993), 3 %.

    Args:
        given: pictures in question.
        unused: pictures that were not used.
        captioned: whether captions are used by the check, so that they matter.
        seed: of folds and shuffles.
        progress: shows how far it is.
    """
    # With scikit-learn; a page, which only names what a control may be, starts without it.
    from miagym.auditing.audit import MIN_GROUPS, audit

    sizes = len(given), len(unused)
    if min(sizes) < MIN_GROUPS:
        return _unaudited(sizes, MIN_GROUPS)
    pictures = (*given.pictures, *unused.pictures)
    source = AuditData(
        name="the two sides",
        member=np.arange(len(pictures)) < len(given),
        captions=tuple(picture.caption for picture in pictures) if captioned else None,
        pictures=[picture.given.source for picture in pictures],
    )
    try:
        found = audit(source, seed, MAX_ROWS, progress)
    except DataError:  # nothing varies at all
        return UnusedControl(
            ControlStanding.UNKNOWN, "No difference at all between the two sides.", None
        )
    if not found.blind:
        return _unaudited(sizes, MIN_GROUPS)
    return UnusedControl(*_words(found), audit=found)


def _unaudited(sizes: Sequence[int], least: int) -> UnusedControl:
    return UnusedControl(
        ControlStanding.UNAUDITED,
        f"Whether the unused pictures are a fair control was not audited: that takes {least} "
        f"different pictures of each side, and there are {sizes[0]} and {sizes[1]}. A difference "
        "in style, source or file format would give a small p-value too.",
        None,
    )


def _words(found: Audit) -> tuple[ControlStanding, str]:
    row = min(found.blind, key=lambda one: (one.p, -one.auc))
    seen = blind_row_in_words(row)
    sizes = f"{found.n_members} and {found.n_nonmembers} pictures"
    looked = len(found.blind) + len(found.shift) + 1
    if found.verdict is AuditVerdict.SHIFTED:
        cues = "; ".join(_cue(cue) for cue in found.cues[:2])
        return ControlStanding.BAD, (
            "The unused pictures are no good as a control: they differ from the pictures in "
            f"question in more than membership, for without any model {seen} ({looked} looks were "
            f"corrected for; {100 * MAX_FALSE_ALARMS:.0f} % of fair controls are refused so)."
            + (f" Most telling: {cues}." if cues else "")
            + " A p-value would say no more than that, so none is given; take unused pictures of "
            "the same hand, kind and file format."
        )
    if found.verdict is AuditVerdict.FAIR:
        return ControlStanding.GOOD, (
            f"The unused pictures stood the audit: without any model, {seen} at best ({sizes})."
        )
    return ControlStanding.UNKNOWN, (
        f"The audit found no difference between the sides without the model ({seen}; p = "
        f"{row.p:.2g}, corrected for {looked} looks), but {sizes} are too few to rule out one "
        "that matters: that they are alike in all but membership is yours to know."
    )


def _cue(cue: AuditCue) -> str:
    words = cue_in_words(cue).replace("of non-members", "of the unused")
    return words.replace("of members", "of those in question")
