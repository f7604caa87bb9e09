"""`miagym.check`: were these pictures used to train that target?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.api.checking.pictures import check_given, given_pictures
from miagym.checking.alpha import ALPHA, check_alpha
from miagym.data.labels import MemberValue
from miagym.errors import DataError, SettingsError, check_whole, option
from miagym.evaluation.config import AUTO
from miagym.progress import Progress, silent
from miagym.targets.registry import find_target

if TYPE_CHECKING:
    from miagym.api.check_unused import UnusedCheck
    from miagym.api.checking.result import Check
    from miagym.api.names import AttackLike, DataLike, TargetLike


ACCESS = "grey"
"""Of the attacks that are asked, unless the caller says otherwise."""


def check(
    pictures: Any,
    target: TargetLike,
    *,
    unused: Any = None,
    caption: str | None = None,
    data: DataLike | None = None,
    member_value: MemberValue | None = None,
    calibration: str | Path | None = None,
    attacks: AttackLike | None = None,
    access: str | None = None,
    reference: TargetLike | None = AUTO,
    alpha: float = ALPHA,
    fdr: float | None = None,
    calibration_limit: int | None = None,
    seed: int | None = None,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    progress: Progress = silent,
) -> Check | UnusedCheck:
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
        pictures: a file, a folder, encoded bytes, a Pillow image, or several of these; by name, if
            answers shall call them otherwise than by their files.
        target: an embedded name, a folder, a file, a hub id, with what is put on it
            ("BASE+lora.safetensors:0.8"), or a target.
        unused: pictures like these that are known not to have been used, in any of these forms;
            with them, no member of the target has to be known.
        caption: of the one picture; several have theirs beside them, in any way that a folder of
            data can (`.txt`, `.caption`, `metadata.jsonl`, …).
        data: members of the target and non-members like them, to calibrate by; known of an
            embedded target.
        member_value: the value of `member` that stands for members in the data's column of labels,
            where the values do not say it.
        calibration: a folder that `miagym.calibrate` made, in the place of `data`; what it was made
            with stands, so `attacks`, `access`, `calibration_limit` and `seed` are left away.
        attacks: whom to ask, by name or as objects; quick ones of that access by default. By
            unused pictures a single one is asked, which is fixed beforehand.
        access: "black" or "grey": which attacks by default; None is "grey".
        reference: public base of the target; `None` for none. An embedded target has a known one,
            a LoRA and a training of miagym name theirs.
        alpha: the false positive rate that is allowed.
        fdr: false discovery rate of a list of pictures; None for no list.
        calibration_limit: at most so many calibration members, and so many non-members.
        seed: of all noise and draws; None is 0.
        batch_size: latents in one call of the target.
        device: "auto", "cpu", "cuda", "mps".
        dtype: "float32", "float16", "bfloat16"; "auto" is half precision on a CUDA GPU.
        progress: shows how far calibration is.

    Raises:
        MiagymError: of whatever kind, in one sentence.
    """
    given = given_pictures(pictures)
    if caption is not None and len(given) > 1:
        raise DataError(
            f"{option('caption')} is of one picture, got {len(given)}; captions of several go "
            "in .txt files beside them."
        )
    decided = {
        "data": data,
        "member_value": member_value,
        "attacks": attacks,
        "calibration_limit": calibration_limit,
        "access": access,
        "seed": seed,
    }
    _check_way(unused, calibration, decided)
    access, seed = ACCESS if access is None else access, 0 if seed is None else seed
    check_alpha(alpha)
    check_whole(0, seed=seed)
    check_whole(1, calibration_limit=calibration_limit, batch_size=batch_size)
    if isinstance(target, str | Path):
        find_target(str(target))
    check_given(given)
    # What refuses comes before libraries of models and of statistics, which take seconds to import.
    if fdr is not None:
        from miagym.metrics.sets.discoveries import check_rate

        check_rate(fdr)
    if unused is not None:
        from miagym.api.check_unused import asked_signals, check_unused

        signals, why = asked_signals(
            target, attacks, access, reference, seed, batch_size, device, dtype
        )
        return check_unused(signals, given, unused, caption, alpha, fdr, why, progress)
    from miagym.api.checking.checkers import kept_checker, make_checker
    from miagym.api.checking.known import answered

    if calibration is not None:
        checker = kept_checker(
            target,
            Path(calibration),
            reference=reference,
            batch_size=batch_size,
            device=device,
            dtype=dtype,
        )
        made = {"calibration": str(calibration)}
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
        made = {
            "data": checker.source.name,
            "member_value": member_value,
            "attacks": list(checker.signals.attacks),
            "calibration_limit": calibration_limit,
            "seed": seed,
        }
    return answered(checker, given, target, reference, caption, alpha, fdr, made)


def _check_way(unused: Any, calibration: str | Path | None, others: Mapping[str, object]) -> None:
    """Refuses what the way of checking would leave without effect.

    Args:
        unused: pictures that were not used, which are all that is compared with.
        calibration: a folder, whose pictures and attacks were decided when it was made.
        others: options of a check by known members, None where they are not given.
    """
    given = [name for name, value in others.items() if value is not None]
    if unused is not None:
        given = [name for name in given if name not in ("attacks", "access", "seed")]
        given += ["calibration"] if calibration is not None else []
        if given:
            raise SettingsError(
                f"{option(given[0])} is of a check by known members; with pictures that were not "
                f"used ({option('unused')}) leave it away."
            )
    elif calibration is not None and given:
        raise SettingsError(
            f"{option(given[0])} was decided when the calibration was made; leave it away, or "
            f"leave {option('calibration')} away."
        )
