"""Record of a training in its folder's training.json: base, data and member rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.atomic import replacing
from miagym.data.dataset import Dataset
from miagym.errors import RunError, option
from miagym.targets.places import ADDED
from miagym.targets.registry import TRAINING as FILE
from miagym.targets.registry import is_of_population, local_folder, split_checkpoint
from miagym.training.defences import UNDEFENDED, TrainingDefence
from miagym.training.private import Privacy

SCHEMA = 1


@dataclass(frozen=True)
class TrainingRecord:
    """Record of a fine-tuning; equal records give the same weights on one machine."""

    base: str
    """The target it began from, as it was named."""
    base_fingerprint: str
    data: str
    """The data set, as it was named."""
    data_digest: str
    rows: tuple[int, ...]
    """Rows of the data set that were trained on, in order; these are the members."""
    epochs: int
    checkpoints: tuple[int, ...]
    """Epochs after which the UNet is kept; 0 is the base."""
    batch_size: int
    learning_rate: float
    seed: int
    precision: str
    """`float32`, or `bfloat16` where a GPU computed in it."""
    lora_rank: int | None = None
    """Of the LoRA that was learned, if not the whole denoiser was."""
    lora_layers: str = "attention"
    lora_half: bool = False
    """Whether its file is in float16."""
    defence: TrainingDefence = UNDEFENDED
    """What kept it from remembering single pictures."""
    privacy: Privacy | None = None
    """What DP-SGD guarantees, if that is among the defences."""
    others: str | None = None
    """The data, as it was named, whose pictures a proxy attack took for no members."""
    others_digest: str | None = None
    others_rows: tuple[int, ...] = ()
    """Rows of them that it took."""

    @classmethod
    def read(cls, folder: Path) -> TrainingRecord | None:
        """The record of a folder, or None if it has none.

        Raises:
            RunError: if it cannot be read.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            schema = content.pop("schema")
            if schema != SCHEMA:
                raise RunError(
                    f"{path} is of schema {schema}, this miagym reads {SCHEMA}; choose another "
                    f"{option('out')}."
                )
            rows, kept = tuple(content.pop("rows")), tuple(content.pop("checkpoints"))
            defence = TrainingDefence(**content.pop("defence", {}))
            told = content.pop("privacy", None)
            privacy = None if told is None else Privacy(**told)
            beside = tuple(content.pop("others_rows", ()))
            return cls(
                **content, rows=rows, checkpoints=kept, defence=defence, privacy=privacy,
                others_rows=beside,
            )  # fmt: skip
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RunError(
                f"{path} is no record of a training ({error}); choose another {option('out')}."
            ) from error

    def write(self, folder: Path) -> None:
        """Writes training.json, whole or not at all."""
        with replacing(folder / FILE) as partial:
            text = json.dumps({"schema": SCHEMA, **asdict(self)}) + "\n"
            partial.write_text(text, encoding="utf-8")

    def differences(self, other: TrainingRecord) -> list[str]:
        """Names of the fields that differ; the same base or data under another name is the same."""
        same = replace(other, base=self.base, data=self.data, others=self.others)
        ours, theirs = asdict(self), asdict(same)
        names = [name for name in ours if ours[name] != theirs[name]]
        return [
            n.removesuffix("_fingerprint").removesuffix("_digest").replace("_", " ") for n in names
        ]

    def doubts(self, data: Dataset, rows: NDArray[np.integer]) -> str | None:
        """Reason why labels of some rows contradict this training, or None.

        Args:
            data: whose labels an evaluation believes.
            rows: the rows it scores.
        """
        if data.digest != self.data_digest:
            return f"It was trained on {self.data}, and this is other data or another split of it."
        wrong = int((np.isin(rows, self.rows) != data.member[rows]).sum())
        if wrong:
            return (
                f"{wrong} of {len(rows)} candidates are called members and were never trained on; "
                "use the limit and the seed of the training."
            )
        return None


def record_of(target: str) -> TrainingRecord | None:
    """Training record of a target by its name, or None if unknown.

    The name is a folder, FOLDER@40, or BASE+FILE with a LoRA that lies in a training's folder.

    Raises:
        RunError: if its training.json cannot be read.
    """
    folder = local_folder(target)
    if is_of_population(target):
        return TrainingRecord.read(folder)
    if not folder.exists() and ADDED in target:
        lora = Path(target.rpartition(ADDED)[2].rpartition(":")[0] or target.rpartition(ADDED)[2])
        found = next((up for up in lora.parents if (up / FILE).is_file()), None)
        return None if found is None else TrainingRecord.read(found)
    return TrainingRecord.read(folder if folder.exists() else Path(split_checkpoint(target)[0]))


def begin(out: Path, record: TrainingRecord) -> bool:
    """Checks that a folder may hold this training.

    Returns:
        Whether it holds some of it already.

    Raises:
        RunError: if it holds another training, or something else.
    """
    existing = TrainingRecord.read(out)
    if existing is None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunError(
                f"{out} is there already and holds no training of miagym; choose another "
                f"{option('out')}."
            )
        return False
    if different := record.differences(existing):
        raise RunError(
            f"{out} holds another training (they differ in {' and '.join(different)}); choose "
            f"another {option('out')}, or delete it."
        )
    return True
