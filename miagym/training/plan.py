"""Plan of a fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from miagym.data.labels import MemberValue
from miagym.errors import RunError, option
from miagym.training.defences import UNDEFENDED, TrainingDefence
from miagym.training.lora import Kind

EPOCHS, BATCH = 100, 16


@dataclass(frozen=True)
class FineTuning:
    """Plan of a fine-tuning: base, data, length and hyperparameters.

    Raises:
        RunError: if a checkpoint lies beyond the training, or the learning rate beyond reason.
    """

    base: str
    """A target: embedded name, folder or hub id."""
    data: str
    """A data set, as `load_data` takes it."""
    epochs: int = EPOCHS
    checkpoints: tuple[int, ...] | None = None
    """Epochs after which the UNet is kept, 0 for the base; by default `halvings` of `epochs`."""
    batch_size: int = BATCH
    """Pictures in a step, at most; an epoch is dealt into batches as even as can be."""
    learning_rate: float | None = None
    """By default 1e-5, and 1e-3 for a denoiser of less than 100 million parameters; for a LoRA ten
    times as much."""
    seed: int = 0
    lora_rank: int | None = None
    """Learns a LoRA of this rank and leaves the base as it is; None trains the whole denoiser."""
    lora_layers: Kind = "attention"
    """Which layers the LoRA changes."""
    lora_half: bool = False
    """Whether its file is in float16, and so half as large."""
    limit: int | None = None
    """At most so many members of each part: those that `evaluate` scores with this limit and
    seed."""
    member_value: MemberValue | None = None
    """What stands for members in the data's column of labels, where the values do not say it."""
    defence: TrainingDefence = UNDEFENDED
    """What keeps the model from remembering single pictures."""
    others: str | None = None
    """Data whose pictures smp takes for no members, but for those of `data` and their
    look-alikes."""

    def __post_init__(self) -> None:
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise RunError(f"Expected a learning rate between 0 and 1, got {self.learning_rate}.")
        if self.lora_rank is not None and self.lora_rank < 1:
            raise RunError(f"Expected a rank of the LoRA from 1, got {self.lora_rank}.")
        if self.lora_layers not in get_args(Kind):
            raise RunError(
                f"Expected the layers of a LoRA as {', '.join(get_args(Kind))}, got "
                f"{self.lora_layers!r}."
            )
        if self.defence.epsilon is not None and self.lora_rank is None:
            raise RunError(
                "DP-SGD keeps a gradient for each picture of a step, which only a LoRA has room "
                f"for; give {option('lora_rank')}, or a defence without dp-sgd."
            )
        if (self.others is None) != (self.defence.smp == 0):
            raise RunError(
                "A proxy attack learns from pictures that are no members and are not asked about "
                f"later; give {option('others')} with smp, and with nothing else."
            )
        if self.defence.smp and self.defence.epsilon is not None:
            raise RunError(
                "DP-SGD needs a loss that is a mean over pictures, and smp's is a ratio; choose "
                "one of them."
            )
        outside = [epoch for epoch in self.kept if not 0 <= epoch <= self.epochs]
        if outside:
            raise RunError(
                f"Checkpoints lie between 0, the base, and the last of the {self.epochs} epochs; "
                f"got {outside[0]}."
            )

    @property
    def kept(self) -> tuple[int, ...]:
        """The epochs whose UNet is kept, in order."""
        kept = halvings(self.epochs) if self.checkpoints is None else self.checkpoints
        return tuple(sorted(set(kept)))


def halvings(epochs: int) -> tuple[int, ...]:
    """Default checkpoints: 0, which is the base, and a half, a quarter, ... of the epochs."""
    return tuple(sorted({0, *(epochs // 2**k for k in range(1, 5))}))
