"""`miagym.check` by known members: its calibration, its answers, and what they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from miagym.api.checking.checkers import kept_checker, make_checker
from miagym.api.checking.pictures import readable_uploads
from miagym.api.checking.reference import public_base
from miagym.api.checking.result import Check
from miagym.api.names import AttackLike, DataLike, TargetLike
from miagym.checking.given import Given
from miagym.checking.provenance import PictureRecord, Provenance
from miagym.checking.sets.listing import listed_answers
from miagym.data.labels import MemberValue
from miagym.progress import Progress


def check_known(
    given: Mapping[str, Given],
    target: TargetLike,
    *,
    caption: str | None,
    data: DataLike | None,
    member_value: MemberValue | None,
    calibration: str | Path | None,
    attacks: AttackLike | None,
    access: str,
    reference: TargetLike | None,
    alpha: float,
    fdr: float | None,
    calibration_limit: int | None,
    seed: int,
    batch_size: int,
    device: str,
    dtype: str,
    progress: Progress,
) -> Check:
    """Calibrates and answers; see `miagym.check` for the other arguments.

    Args:
        given: pictures, by name.
        target: the model in question.
        caption: of the one picture.
        data: to calibrate by.
        member_value: what stands for members in the data's column of labels.
        calibration: a folder, in the place of data.
        attacks: whom to ask.
        access: which attacks by default.
        reference: public base of the target.
        alpha: the false positive rate that is allowed.
        fdr: of a list.
        calibration_limit: of members, and of non-members.
        seed: of all noise and draws.
        batch_size: latents in one call of the target.
        device: where targets are put.
        dtype: their precision.
        progress: shows how far calibration is.
    """
    if calibration is not None:
        checker = kept_checker(
            target,
            Path(calibration),
            reference=reference,
            batch_size=batch_size,
            device=device,
            dtype=dtype,
        )
    else:
        checker = make_checker(
            target,
            data,
            attacks,
            member_value=member_value,
            access=access,
            reference=reference,
            limit=calibration_limit,
            seed=seed,
            batch_size=batch_size,
            device=device,
            dtype=dtype,
            progress=progress,
        )
    uploads, skipped = readable_uploads(given, caption, checker.signals.target.resolution)
    answers = tuple(checker.check(upload, alpha) for upload in uploads)
    together = checker.check_set(uploads, alpha) if len(given) > 1 else None
    signals, source = checker.signals, checker.source
    base = signals.reference
    by_pictures = {
        "data": source.name,
        "member_value": member_value,
        "attacks": list(signals.attacks),
        "calibration_limit": calibration_limit,
        "seed": seed,
    }
    settings = {
        "target": signals.target.name,
        "reference": base and base.name,
        **(by_pictures if calibration is None else {"calibration": str(calibration)}),
        "caption": caption,
        "alpha": alpha,
        "fdr": fdr,
        "batch_size": batch_size,
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
