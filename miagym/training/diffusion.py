"""Training of a Stable Diffusion's UNet, and of its text encoder if it begins from nothing."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from miagym.training.loop import Schedule, StepProgress, batch_of, even_batch_of, even_steps, train

BATCH = 32
PHRASE_SHARE = 0.6
"""Share of a caption's phrases that an augmented training shows at a time."""

CAPTION_DROPOUT = 0.1
"""Share of captions replaced by the empty prompt, which guidance and CLiD ask under."""

Keep = Callable[[UNet2DConditionModel], None]


@dataclass(frozen=True)
class Training:
    """Training data and hyperparameters of a diffusion model."""

    latents: Tensor
    """Scaled latents (views, n, channels, height, width): of pictures, and of their mirror images
    if they are augmented."""
    captions: list[str]
    epochs: int
    learning_rate: float
    augment: bool = False
    """Whether views are drawn and captions thinned at random, which slows memorisation."""
    train_text: bool = False
    """Whether the text encoder learns too (from scratch) or stays as it is (fine-tuning)."""
    batch: int = BATCH
    """Pictures in a step, at most."""
    every_row: bool = False
    """Whether an epoch sees each picture once, or drops those that fill no batch."""
    ema_decay: float = 0.995
    state_every: int = 200
    """Steps between two states on disk."""
    half: bool = False
    """Whether networks compute in bfloat16; weights and their averages stay in float32."""

    @property
    def steps_per_epoch(self) -> int:
        n = len(self.captions)
        return even_steps(n, self.batch) if self.every_row else n // min(n, self.batch)

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            self.epochs * self.steps_per_epoch,
            self.learning_rate,
            ema_decay=self.ema_decay,
            state_every=self.state_every,
        )


def thinned(caption: str, rng: np.random.Generator) -> str:
    """Caption with a random part of its phrases, in another order; at least one is kept."""
    phrases = np.array(caption.split(", "))
    keep = rng.random(len(phrases)) < PHRASE_SHARE
    keep[rng.integers(len(phrases))] = True
    return ", ".join(rng.permutation(phrases[keep]))


def train_diffusion(
    training: Training,
    pipeline: StableDiffusionPipeline,
    seed: int,
    state: Path,
    progress: StepProgress,
    label: str,
    keep: Mapping[int, Keep] | None = None,
) -> None:
    """Trains a pipeline with AdamW on the mean squared error of the UNet's prediction, t uniform.

    Args:
        training: latents, captions, epochs.
        pipeline: where to start, in float32; afterwards it holds the averaged networks.
        seed: of batches, timesteps, noise and dropped captions.
        state: where to keep what a stopped run resumes from.
        progress: shows how far it is.
        label: what the progress calls this training.
        keep: called with the averaged UNet after these epochs.
    """
    pipeline.vae.requires_grad_(False)
    pipeline.text_encoder.requires_grad_(training.train_text)
    parts = nn.ModuleDict({"unet": pipeline.unet})
    if training.train_text:
        parts["text"] = pipeline.text_encoder
    steps = {
        epoch * training.steps_per_epoch: lambda parts, call=call: call(parts["unet"])
        for epoch, call in (keep or {}).items()
    }
    loss_at = _loss(training, pipeline, seed)
    averaged = train(parts, loss_at, training.schedule, state, progress, label, steps)
    assert isinstance(averaged, nn.ModuleDict)
    pipeline.unet = averaged["unet"]
    if training.train_text:
        pipeline.text_encoder = averaged["text"]


def _loss(
    training: Training, pipeline: StableDiffusionPipeline, seed: int
) -> Callable[[int], Tensor]:
    """The loss of a step: the mean square of E(z_t, t, c) - eps, or of the velocity's error."""
    device, tokenizer = pipeline.unet.device, pipeline.tokenizer
    scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    alphas_cumprod = scheduler.alphas_cumprod.to(device)
    is_velocity = scheduler.config.prediction_type == "v_prediction"
    choose = even_batch_of if training.every_row else batch_of

    def embed(captions: list[str]) -> Tensor:
        tokens = tokenizer(
            captions,
            padding="max_length",
            truncation=True,
            max_length=tokenizer.model_max_length,
            return_tensors="pt",
        ).input_ids.to(device)
        with torch.set_grad_enabled(training.train_text):
            return pipeline.text_encoder(tokens)[0]

    def loss_at(step: int) -> Tensor:
        rng = np.random.default_rng((seed, step))
        rows = choose(step, len(training.captions), training.batch, seed)
        z0 = training.latents[rng.integers(2, size=len(rows)) * training.augment, rows].to(device)
        captions = [training.captions[row] for row in rows]
        if training.augment:
            captions = [thinned(caption, rng) for caption in captions]
        dropped = rng.random(len(rows)) < CAPTION_DROPOUT
        captions = ["" if gone else text for text, gone in zip(captions, dropped, strict=True)]
        t = torch.from_numpy(rng.integers(len(alphas_cumprod), size=len(rows))).to(device)
        eps = torch.from_numpy(rng.standard_normal(z0.shape, dtype=np.float32)).to(device)
        ab = alphas_cumprod[t][:, None, None, None]
        z_t = ab.sqrt() * z0 + (1 - ab).sqrt() * eps
        aim = ab.sqrt() * eps - (1 - ab).sqrt() * z0 if is_velocity else eps
        with torch.autocast(device.type, torch.bfloat16, enabled=training.half):
            predicted = pipeline.unet(z_t, t, embed(captions)).sample
        return mse_loss(predicted.float(), aim)

    return loss_at
