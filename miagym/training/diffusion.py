"""Training of a denoiser of any family, and of the text encoder if it begins from nothing."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.pipeline.tokens import token_ids
from miagym.targets.schedule import Predicts
from miagym.training.defences import drawn_timesteps
from miagym.training.loop import (
    StepProgress,
    TrainingSchedule,
    batch_of,
    even_batch_of,
    even_steps,
    train,
)
from miagym.training.private import Privacy, PrivateGradients, poisson_batch_of
from miagym.training.proxy import ProxyAttack

BATCH = 32
DENOISER, TEXT = "denoiser", "text"
"""Parts that learn."""
PHRASE_SHARE = 0.6
"""Share of a caption's phrases that an augmented training shows at a time."""

CAPTION_DROPOUT = 0.1
"""Share of captions replaced by the empty prompt, which guidance and CLiD ask under."""

Keep = Callable[[nn.Module], None]


@dataclass(frozen=True)
class Training:
    """Training data and hyperparameters of a diffusion model."""

    latents: Tensor
    """Scaled latents (views, n, channels, height, width): of pictures, and of their other views,
    such as mirror images, if they are augmented."""
    captions: list[str]
    epochs: int
    learning_rate: float
    augment: bool = False
    """Whether views are drawn at random, which slows memorisation."""
    thin: bool = False
    """Whether captions are thinned at random, which does so too."""
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
    u_shape: float = 0.0
    """How rare timesteps in the middle are; 0 draws all evenly."""
    privacy: Privacy | None = None
    """Draws each step's pictures one by one, clips their gradients and adds noise to them."""
    smp: float = 0.0
    """How much it counts to fool a proxy attack, which learns from `others`."""
    others: tuple[Tensor, list[str]] | None = None
    """Latents (m, channels, height, width) and captions of pictures that are no members."""

    @property
    def steps_per_epoch(self) -> int:
        n = len(self.captions)
        return even_steps(n, self.batch) if self.every_row else n // min(n, self.batch)

    @property
    def schedule(self) -> TrainingSchedule:
        return TrainingSchedule(
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
    target: PipelineTarget,
    seed: int,
    state: Path,
    progress: StepProgress,
    label: str,
    keep: Mapping[int, Keep] | None = None,
    parts: nn.Module | None = None,
) -> nn.Module:
    """Trains a target with AdamW on the mean squared error of what its network predicts.

    Args:
        training: latents, captions, epochs.
        target: where to start, in float32.
        seed: of batches, timesteps, noise and dropped captions.
        state: where to keep what a stopped run resumes from.
        progress: shows how far it is.
        label: what the progress calls this training.
        keep: called with the averaged parts after these epochs.
        parts: what learns; by default the denoiser, and the text encoder if `train_text`.

    Returns:
        The averaged parts; the target itself holds the last ones.
    """
    for network in target.networks():
        network.requires_grad_(parts is None and network is target.network)
    if parts is None:
        parts = nn.ModuleDict({DENOISER: target.network})
        if training.train_text:
            parts[TEXT] = target.pipeline.text_encoder.requires_grad_(True)
    else:
        parts.requires_grad_(True)
    per_epoch = training.steps_per_epoch
    steps = {epoch * per_epoch: call for epoch, call in (keep or {}).items()}
    loss_at = _loss(training, target, seed)
    gradients = None
    if (told := training.privacy) is not None:
        n = len(training.captions)
        gradients = PrivateGradients(target.network, parts.parameters(), told, n, seed)
    return train(parts, loss_at, training.schedule, state, progress, label, steps, gradients)


def _loss(training: Training, target: PipelineTarget, seed: int) -> Callable[[int], Tensor]:
    """The loss of a step: the mean square of the network's answer less what it should predict."""
    device = target.device
    proxy = None
    if training.others is not None:
        proxy = ProxyAttack(training.smp, training.others[0].shape[1:], seed, device)

    def answered(
        z0: Tensor, captions: list[str], rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        dropped = rng.random(len(z0)) < CAPTION_DROPOUT * target.can_be_guided
        captions = ["" if gone else text for text, gone in zip(captions, dropped, strict=True)]
        t = drawn_timesteps(rng, len(target.schedule), len(z0), training.u_shape)
        eps = torch.from_numpy(rng.standard_normal(z0.shape, dtype=np.float32)).to(device)
        a, s = target.scales(t.tolist(), z0)
        with torch.autocast(device.type, torch.bfloat16, enabled=training.half):
            told = _told(target, captions, training.train_text)
            time = torch.from_numpy(t).to(device)
            predicted = target.output(a * z0 + s * eps, time, told)
        return predicted.float(), _aim(target.predicts, z0, eps, a, s)

    def of_others(n: int, rng: np.random.Generator) -> Tensor:
        """Squared errors at n pictures that are no members, of which the model learns nothing."""
        assert training.others is not None
        latents, captions = training.others
        some = rng.integers(len(captions), size=n)
        with torch.no_grad():
            pair = answered(latents[some].to(device), [captions[i] for i in some], rng)
        return mse_loss(*pair, reduction="none")

    def loss_at(step: int) -> Tensor:
        rng = np.random.default_rng((seed, step))
        rows = _rows(training, step, seed)
        if not len(rows):  # as Poisson sampling may have it
            return torch.zeros((), device=device, requires_grad=True)
        view = rng.integers(max(2, len(training.latents)), size=len(rows)) * training.augment
        z0 = training.latents[view, rows].to(device)
        captions = [training.captions[row] for row in rows]
        if training.thin:
            captions = [thinned(caption, rng) for caption in captions]
        pair = answered(z0, captions, rng)
        if proxy is None:
            return mse_loss(*pair)
        return proxy.loss(mse_loss(*pair, reduction="none"), of_others(len(rows), rng), step)

    return loss_at


def _rows(training: Training, step: int, seed: int) -> NDArray[np.int64]:
    n = len(training.captions)
    if training.privacy is not None:
        return poisson_batch_of(step, n, training.privacy.sample_rate, seed)
    choose = even_batch_of if training.every_row else batch_of
    return choose(step, n, training.batch, seed)


def _told(target: PipelineTarget, captions: list[str], differentiable: bool) -> Tensor:
    """What the network is told; through the text encoder itself, if that learns too."""
    if not differentiable:
        return target.embed(captions).clone()  # made in inference mode, which autograd refuses
    tokenizer = target.pipeline.tokenizer
    tokens = torch.tensor([token_ids(tokenizer, caption) for caption in captions])
    return target.pipeline.text_encoder(tokens.to(target.device))[0]


def _aim(predicts: Predicts, z0: Tensor, eps: Tensor, a: Tensor, s: Tensor) -> Tensor:
    """What the network should predict at a z0 + s eps."""
    return {
        Predicts.NOISE: eps,
        Predicts.VELOCITY: a * eps - s * z0,
        Predicts.SAMPLE: z0,
        Predicts.FLOW: eps - z0,
    }[predicts]
