"""`miagym.calibrate`: what a model says of pictures whose membership is known, kept in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.api.checking.checkers import make_checker
from miagym.api.names import AttackLike, DataLike, TargetLike
from miagym.checking.sources.kept import CalibrationRecord, check_new, keep
from miagym.checking.sources.pictures import Pictures
from miagym.checking.words import doubtful
from miagym.data.labels import MemberValue
from miagym.errors import check_whole
from miagym.evaluation.config import AUTO
from miagym.progress import Progress, silent


@dataclass(frozen=True)
class CalibrationFolder:
    """A calibration in its folder.

    Args:
        folder: where it is.
        record: what it was made with.
    """

    folder: Path
    record: CalibrationRecord

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, texts, lists and None."""
        return {"folder": str(self.folder), **self.record.model_dump(mode="json")}

    def __str__(self) -> str:
        record = self.record
        asked = "with captions and without" if record.has_captions else "without captions"
        made = (
            f"{record.target} is calibrated by {record.members} members and {record.nonmembers} "
            f"non-members of {record.data}, {asked}, in {self.folder}."
        )
        return " ".join([made, *doubtful(record.doubts)])


def calibrate(
    target: TargetLike,
    data: DataLike | None = None,
    *,
    out: str | Path,
    attacks: AttackLike | None = None,
    access: str = "grey",
    reference: TargetLike | None = AUTO,
    member_value: MemberValue | None = None,
    limit: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    progress: Progress = silent,
) -> CalibrationFolder:
    """Asks a model about known members and others once, and keeps what checks need of it.

    The folder holds scores and digests, and none of the pictures, so it can be copied to where
    these may not go: `miagym.check(..., calibration=FOLDER)` and `miagym page --calibration FOLDER`
    read it, and refuse another model than it was made with.

    Args:
        target: as in `miagym.check`.
        data: members of the target and non-members like them; known of an embedded target.
        out: a new folder.
        attacks: whom to ask.
        access: "black" or "grey": which attacks by default.
        reference: public base of the target.
        member_value: what stands for members in the data's column of labels.
        limit: at most so many members, and so many non-members.
        seed: of all noise and draws.
        batch_size: latents in one call of the target.
        device: "auto", "cpu", "cuda", "mps".
        dtype: "float32", "float16", "bfloat16"; "auto" is half precision on a CUDA GPU.
        progress: shows how far it is.

    Raises:
        MiagymError: of whatever kind, in one sentence; nothing is left in `out` then.
    """
    check_whole(0, seed=seed)
    check_whole(1, limit=limit, batch_size=batch_size)
    folder = Path(out)
    check_new(folder)
    checker = make_checker(
        target,
        data,
        attacks,
        member_value=member_value,
        access=access,
        reference=reference,
        limit=limit,
        seed=seed,
        batch_size=batch_size,
        device=device,
        dtype=dtype,
        progress=progress,
    )
    source = checker.source
    assert isinstance(source, Pictures)  # of `make_checker`
    record = keep(source, source.data.digest, checker.signals, limit, folder, progress)
    return CalibrationFolder(folder, record)
