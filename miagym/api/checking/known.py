"""`miagym.check` by known members: its answers, and what they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from miagym.api.checking.pictures import readable_uploads
from miagym.api.checking.reference import public_base
from miagym.api.checking.result import Check
from miagym.api.names import TargetLike
from miagym.checking.checker import Checker
from miagym.checking.given import Given
from miagym.checking.provenance import PictureRecord, Provenance
from miagym.checking.sets.listing import listed_answers


def answered(
    checker: Checker,
    given: Mapping[str, Given],
    target: TargetLike,
    reference: TargetLike | None,
    caption: str | None,
    alpha: float,
    fdr: float | None,
    made: Mapping[str, Any],
) -> Check:
    """Answers; see `miagym.check` for the other arguments.

    Args:
        checker: calibrated, or about to be.
        given: pictures, by name.
        target: the model in question.
        reference: public base of the target.
        caption: of the one picture.
        alpha: the false positive rate that is allowed.
        fdr: of a list.
        made: settings of the calibration.
    """
    uploads, skipped = readable_uploads(given, caption, checker.signals.target.resolution)
    answers = tuple(checker.check(upload, alpha) for upload in uploads)
    together = checker.check_set(uploads, alpha) if len(given) > 1 else None
    signals, source = checker.signals, checker.source
    base = signals.reference
    settings = {
        "target": signals.target.name,
        "reference": base and base.name,
        **made,
        "caption": caption,
        "alpha": alpha,
        "fdr": fdr,
        "batch_size": signals.batch_size,
    }
    records = [PictureRecord.of(upload.name, given[upload.name]) for upload in uploads]
    return Check(
        target=signals.target.name,
        data=source.name,
        reference=base and base.name,
        seed=signals.seed,
        answers=answers,
        together=together,
        skipped=skipped,
        listed=None if fdr is None else listed_answers(answers, fdr),
        named_by=public_base(target, reference, source.name).why,
        provenance=Provenance.now(records, signals, settings, (source.name, source.digest)),
    )
