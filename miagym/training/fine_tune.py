"""Fine-tuning any target on the members of any data set, as the seed paper did (POKEMON).

The denoiser learns, or a LoRA on it; autoencoder and text encoders stay as they are. Checkpoints
along the way show how membership becomes visible, epoch by epoch.
"""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data
from miagym.errors import DataError, TargetError
from miagym.targets.loading.device import choose_device
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.registry import load_target
from miagym.training.diffusion import DENOISER, Keep, Training, train_diffusion
from miagym.training.latents import encode_sampled
from miagym.training.loop import StepProgress, even_steps
from miagym.training.lora import FILE as LORA
from miagym.training.lora import Kind, add_lora, lora_file, save_lora
from miagym.training.plan import FineTuning
from miagym.training.private import Privacy
from miagym.training.proxy import other_rows
from miagym.training.record import TrainingRecord, begin
from miagym.training.saving import INDEX, save_checkpoint, save_pipeline

MIN_LARGE_UNET = 100_000_000
"""Parameters below which a UNet learns at another pace. Stable Diffusion's has 860 million."""

STATE_EVERY = 200
"""Steps between two states on disk; five times as many for a large UNet, whose state is 14 GB."""
MAX_EMA_DECAY = 0.995
"""Weights are averaged over about an epoch, and over 200 steps at most: a longer average of a short
training would still be the base."""


def fine_tune(plan: FineTuning, out: Path, device: str, progress: StepProgress) -> Path:
    """Fine-tunes a target on the members of a data set; goes on where a stopped training was.

    Args:
        plan: base, data, epochs.
        out: the folder of the new target, with `checkpoints/` and `training.json` in it.
        device: "auto", "cpu" or "cuda", which computes in bfloat16.
        progress: shows how far it is.

    Returns:
        `out`, an ordinary diffusers folder in half precision, or with a LoRA's file in it.

    Raises:
        UnknownName: if there is no such base or data.
        TargetError: if the base cannot be loaded.
        DataError: if the data has no members, a picture cannot be read, or there are too few
            others.
        RunError: if `out` holds something else, the disk is full, or no noise is enough for the
            epsilon that is asked for.
    """
    kept, data = plan.kept, load_data(plan.data, plan.member_value)
    data.require(CALIBRATION, TEST, by="a training whose targets are evaluated")
    rows = member_rows(data, plan.seed, plan.limit)
    others = None if plan.others is None else load_data(plan.others)
    where = choose_device(device)
    target = _loaded(plan.base, where)
    is_small = sum(p.numel() for p in target.parameters()) < MIN_LARGE_UNET
    beside = (
        np.empty(0, np.int64)
        if others is None
        else other_rows(others, data, target.resolution, len(rows), plan.seed)
    )
    record = TrainingRecord(
        base=plan.base,
        base_fingerprint=target.fingerprint,
        data=plan.data,
        data_digest=data.digest,
        rows=tuple(rows.tolist()),
        epochs=plan.epochs,
        checkpoints=kept,
        batch_size=plan.batch_size,
        learning_rate=plan.learning_rate or _learning_rate(is_small, plan.lora_rank),
        seed=plan.seed,
        precision="bfloat16" if where.type == "cuda" else "float32",
        lora_rank=plan.lora_rank,
        lora_layers=plan.lora_layers,
        lora_half=plan.lora_half,
        defence=plan.defence,
        privacy=_privacy(plan, len(rows)),
        others=plan.others,
        others_digest=None if others is None else others.digest,
        others_rows=tuple(beside.tolist()),
    )
    begun = begin(out, record)
    if not (out / (INDEX if plan.lora_rank is None else LORA)).is_file():
        z0 = encode_sampled(target, data, rows, plan.seed, progress, plan.defence)
        known = None
        if others is not None:
            latents = encode_sampled(target, others, beside, plan.seed, progress)[0]
            known = latents, [others.captions[row] for row in beside]
        if not begun:  # only now, so that an unreadable picture leaves no folder behind
            record.write(out)
        captions = [data.captions[row] for row in rows]
        every = STATE_EVERY * (1 if is_small else 5)
        _train(record, target, z0, captions, out, progress, every, known)
    _state(out).unlink(missing_ok=True)
    return out


def _learning_rate(is_small: bool, lora_rank: int | None) -> float:
    return (1e-3 if is_small else 1e-5) * (1 if lora_rank is None else 10)


def _privacy(plan: FineTuning, pictures: int) -> Privacy | None:
    if plan.defence.epsilon is None:
        return None
    steps = even_steps(pictures, plan.batch_size)
    return Privacy.reaching(plan.defence.epsilon, pictures, steps, plan.epochs)


def _loaded(base: str, where: torch.device) -> PipelineTarget:
    """The base, in float32.

    Raises:
        TargetError: if it has no pipeline of diffusers, which is what is trained and saved.
    """
    target = load_target(base, device=str(where), dtype="float32")
    if not isinstance(target, PipelineTarget):
        raise TargetError(
            f"{base} is no pipeline of diffusers, so that miagym cannot train it; expected a model "
            "of one of the families in docs/bring/targets.md."
        )
    return target


def member_rows(data: Dataset, seed: int, limit: int | None) -> NDArray[np.int64]:
    """Rows of the members of all parts, in order; a limit picks as an evaluation does.

    Raises:
        DataError: if there are none.
    """
    parts = [data.rows(part, seed, limit) for part in np.unique(data.part)]
    rows = np.sort(np.concatenate([*parts, np.empty(0, np.int64)]))
    members = rows[data.member[rows]]
    if not len(members):
        raise DataError(f"{data.name} has no members to train on.")
    return members


def _train(
    record: TrainingRecord,
    target: PipelineTarget,
    latents: torch.Tensor,
    captions: list[str],
    out: Path,
    progress: StepProgress,
    state_every: int,
    others: tuple[torch.Tensor, list[str]] | None,
) -> None:
    training = Training(
        latents,
        captions,
        record.epochs,
        record.learning_rate,
        batch=record.batch_size,
        every_row=True,
        ema_decay=min(MAX_EMA_DECAY, 1 - 1 / even_steps(len(captions), record.batch_size)),
        # A proxy attack is kept in no state, so that a training that was stopped begins anew.
        state_every=state_every if others is None else sys.maxsize,
        half=record.precision == "bfloat16",
        augment=record.defence.views > 1,
        u_shape=record.defence.u_shape,
        privacy=record.privacy,
        smp=record.defence.smp,
        others=others,
    )

    epochs, place = record.checkpoints, (_state(out), progress, str(out))
    if record.lora_rank is not None:
        kind = cast(Kind, record.lora_layers)
        dtype = torch.float16 if record.lora_half else torch.float32
        learned = add_lora(target, record.lora_rank, record.seed, kind)

        def keep_lora(epoch: int) -> Keep:
            return lambda parts: save_lora(parts, target, lora_file(out, epoch), dtype)

        calls = {epoch: keep_lora(epoch) for epoch in epochs if epoch}
        averaged = train_diffusion(training, target, record.seed, *place, calls, learned)
        save_lora(averaged, target, lora_file(out), dtype)
        return

    def keep(epoch: int) -> Keep:
        return lambda parts: save_checkpoint(parts.get_submodule(DENOISER), out, epoch)

    if 0 in epochs:
        save_checkpoint(target.network, out, 0)
    calls = {epoch: keep(epoch) for epoch in epochs if epoch}
    averaged = train_diffusion(training, target, record.seed, *place, calls)
    target.network = averaged.get_submodule(DENOISER)
    save_pipeline(target.pipeline, out)


def _state(out: Path) -> Path:
    return out / "state.safetensors"
