"""`miagym.check`: were these pictures used to train that target?"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.api.names import (
    AttackLike,
    DataLike,
    TargetLike,
    attacks_of,
    data_of,
    loaded_data,
    loaded_target,
    target_of,
    with_reference,
)
from miagym.api.results import Check
from miagym.checking.answer import ALPHA
from miagym.checking.cache import cache_folder
from miagym.checking.checker import ATTACKS, Checker
from miagym.checking.given import Given
from miagym.checking.upload import FORMATS, Upload, open_upload
from miagym.data import images
from miagym.data.captions.beside import CaptionsBeside
from miagym.data.dataset import CALIBRATION
from miagym.data.labels import MemberValue
from miagym.data.readers.walk import ANY, walk
from miagym.embedded.pairings import check_reference, pairing
from miagym.errors import DataError, option
from miagym.evaluation.config import AUTO
from miagym.evaluation.signals import Signals
from miagym.oracle import Access
from miagym.progress import Progress, silent

if TYPE_CHECKING:
    from attacks import Attack

SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in images.SUFFIXES[kind])
"""What is looked for in folders; other pictures are listed as skipped."""


def check(
    pictures: Any,
    target: TargetLike,
    *,
    caption: str | None = None,
    data: DataLike | None = None,
    member_value: MemberValue | None = None,
    attacks: AttackLike | None = None,
    access: str = "grey",
    reference: TargetLike | None = AUTO,
    alpha: float = ALPHA,
    calibration_limit: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    progress: Progress = silent,
) -> Check:
    """Does a picture score as the target's training pictures do, or as others do?

    >>> import miagym
    >>> data = miagym.load_data("clipart-tune")
    >>> options = {"attacks": "sima", "calibration_limit": 40, "reference": None}
    >>> found = miagym.check(data.pictures[0], "clipart-overfit", **options)
    >>> str(found.verdict) in ("member-like", "cannot tell", "not comparable")
    True
    >>> 0 < found.answers[0].p_smallest < 0.1
    True

    Args:
        pictures: a file, a folder, encoded bytes, a Pillow image, or several of these.
        target: an embedded name, a folder, a file, a hub id, with what is put on it
            ("BASE+lora.safetensors:0.8"), or a target.
        caption: of the one picture; several have theirs beside them, in any way that a folder of
            data can (`.txt`, `.caption`, `metadata.jsonl`, …).
        data: members of the target and non-members like them, to calibrate by; known of an
            embedded target.
        member_value: the value of `member` that stands for members in the data's column of labels,
            where the values do not say it.
        attacks: whom to ask, by name or as objects; quick ones of that access by default.
        access: "black" or "grey": which attacks by default.
        reference: public base of the target; `None` for none, known of an embedded target.
        alpha: the false positive rate that is allowed.
        calibration_limit: at most so many calibration members, and so many non-members.
        seed: of all noise and draws.
        batch_size: latents in one call of the target.
        device: "auto", "cpu", "cuda".
        dtype: "float32", "float16", "bfloat16"; "auto" is half precision on a GPU.
        progress: shows how far calibration is.

    Raises:
        MiagymError: of whatever kind, in one sentence.
    """
    given = _given(pictures)
    if caption is not None and len(given) > 1:
        raise DataError(
            f"{option('caption')} is of one picture, got {len(given)}; captions of several go "
            "in .txt files beside them."
        )
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
    uploads, skipped = _uploads(given, caption, checker.signals.target.resolution)
    base = checker.signals.reference
    return Check(
        target=checker.signals.target.name,
        data=checker.data.name,
        reference=base and base.name,
        seed=seed,
        answers=tuple(checker.check(upload, alpha) for upload in uploads),
        together=checker.check_set(uploads, alpha) if len(given) > 1 else None,
        skipped=skipped,
    )


def make_checker(
    target: TargetLike,
    data: DataLike | None = None,
    attacks: AttackLike | None = None,
    *,
    member_value: MemberValue | None = None,
    access: str = "grey",
    reference: TargetLike | None = AUTO,
    limit: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    folder: Path | None = None,
    progress: Progress = silent,
) -> Checker:
    """What answers many checks under one target, calibrated once; see `check` for the arguments.

    Args:
        target: the model in question.
        data: to calibrate by.
        attacks: whom to ask.
        member_value: what stands for members in the data's column of labels.
        access: which attacks by default.
        reference: public base of the target.
        limit: of the calibration.
        seed: of all noise and draws.
        batch_size: latents in one call of the target.
        device: where targets are put.
        dtype: their precision.
        folder: where calibrations are kept; by default under the user's cache.
        progress: shows how far calibration is.
    """
    named = target_of(target)
    known = data_of(data, named.name)
    paired = pairing(named.name)
    base = (paired and paired.reference) if reference == AUTO else reference
    if base is not None:
        check_reference(target_of(base).name, named.name, known.name)
    chosen = _asked(attacks, access, base is not None)
    calibrating = loaded_data(data, named.name, member_value)
    calibrating.require(CALIBRATION, by="a check")
    return Checker(
        Signals(
            loaded_target(target, device, dtype),
            chosen,
            None if base is None else loaded_target(base, device, dtype),
            seed,
            batch_size,
        ),
        calibrating,
        limit=limit,
        folder=cache_folder() if folder is None else folder,
        progress=progress,
    )


def _asked(attacks: AttackLike | None, access: str, calibrated: bool) -> dict[str, Attack]:
    """The attacks of a check, none of which is blind."""
    if access not in ATTACKS:
        raise DataError(f"Expected {option('access')} of {' or '.join(ATTACKS)}, got {access!r}.")
    if attacks is None:
        return attacks_of([with_reference(n) if calibrated else n for n in ATTACKS[access]])
    found = attacks_of(attacks)
    if blind := [name for name, attack in found.items() if attack.access == Access.BLIND]:
        raise DataError(
            f"{blind[0]} never looks at the target, so what it finds says nothing of it; name "
            "attacks that do."
        )
    return found


def _given(pictures: Any) -> dict[str, Given]:
    """Pictures, and those in folders, by the name that answers use."""
    if isinstance(pictures, str | Path):
        return _files(Path(pictures))
    if isinstance(pictures, bytes):
        return {"The picture": Given(pictures)}
    if hasattr(pictures, "save") and hasattr(pictures, "getbands"):  # a Pillow image
        encoded = io.BytesIO()
        pictures.save(encoded, format="PNG")
        return {"The picture": Given(encoded.getvalue())}
    if not isinstance(pictures, Iterable) or isinstance(pictures, Mapping):
        raise DataError(
            "Expected pictures as files, folders, bytes or Pillow images, got "
            f"{type(pictures).__name__}."
        )
    found: dict[str, Given] = {}
    for number, one in enumerate(pictures, start=1):
        for name, picture in _given(one).items():
            is_file = isinstance(picture.source, Path)
            found[name if is_file else f"picture {number}"] = picture
    if not found:
        raise DataError("No picture was given.")
    return found


def _files(given: Path) -> dict[str, Given]:
    if not given.is_dir():
        return {str(given): Given(given, CaptionsBeside(given.parent, errors="replace"))}
    beside = CaptionsBeside(given, errors="replace")
    pictures = walk(given, ANY).pictures
    found = {str(file): Given(file, beside) for file in pictures}
    if not found:
        raise DataError(f"There is no picture ({', '.join(sorted(SUFFIXES))}) in {given}.")
    return found


def _uploads(
    given: Mapping[str, Given], caption: str | None, size: int
) -> tuple[list[Upload], dict[str, str]]:
    """What can be read, and why the rest cannot; a single picture has to be readable."""
    uploads: list[Upload] = []
    skipped: dict[str, str] = {}
    for name, picture in given.items():
        try:
            text = picture.caption() if caption is None else caption
            uploads.append(open_upload(picture.source, size, caption=text, name=name))
        except DataError as error:
            skipped[name] = str(error)
    if not uploads:
        raise DataError(" ".join(list(skipped.values())[:3]))
    return uploads, skipped
